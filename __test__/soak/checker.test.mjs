// Tests of the soak's own parts: the counters detect every kind of error, and the proxy follows the plan. The soak is soak.mjs.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createRequire } from 'node:module';
import test from 'node:test';
import { makeBody } from './bodies.mjs';
import { Callbacks, Inbound, Outbound } from './checker.mjs';
import { pack, unpack } from './envelope.mjs';
import { FrameReader, FrameWalker, clientFrame, find } from './frames.mjs';
import { Ledger } from './ledger.mjs';
import { judgeMemory } from './memory.mjs';
import { GENERATIONS, LANES, planSession } from './plan.mjs';
import { Proxy } from './proxy.mjs';
import { Random } from './random.mjs';

const { WebSocket, WebSocketServer } = createRequire(import.meta.url)('../subject.cjs');

const SESSION = 7;
const message = (/** @type {number} */ number, body = `body ${number}`) =>
  pack(['u', 't', SESSION, number], Buffer.from(body));

/** The errors of an Inbound for these messages. @param {Buffer[]} messages @param {boolean} [isBinary] */
function accepted(messages, isBinary = false) {
  const inbound = new Inbound(SESSION);
  const problems = messages.map((data) => {
    const opened = unpack(data);
    return opened ? inbound.accept(opened, isBinary) : 'checksum';
  });
  return { inbound, problems };
}

const numbered = (/** @type {number[]} */ ...numbers) =>
  numbers.map((number) => message(number).data);

test('messages in order are accepted', () => {
  const { inbound, problems } = accepted(numbered(0, 1, 2));
  assert.deepEqual(problems, [null, null, null]);
  assert.equal(inbound.count, 3);
});

test('a lost message is detected', () => {
  const { inbound, problems } = accepted(numbered(0, 2));
  assert.match(String(problems[1]), /^lost/);
  assert.deepEqual([...inbound.missing], [1]);
});

test('a doubled message is detected', () => {
  const { inbound, problems } = accepted(numbered(0, 0));
  assert.match(String(problems[1]), /^duplicated/);
  assert.equal(inbound.duplicated, 1);
});

test('reordered messages are detected', () => {
  const { inbound, problems } = accepted(numbered(0, 2, 1));
  assert.match(String(problems[2]), /^misordered/);
  assert.equal(inbound.misordered, 1);
  assert.equal(inbound.missing.size, 0);
});

test('a changed bit is detected at every position', () => {
  const { data } = message(0);
  for (let at = 0; at < data.length * 8; at++) {
    const changed = Buffer.from(data);
    changed[at >> 3] ^= 1 << (at & 7);
    const { problems } = accepted([changed]);
    assert.notEqual(problems[0], null);
  }
});

test('a message of the wrong kind or session is detected', () => {
  assert.match(String(accepted(numbered(0), true).problems[0]), /^text taken/);
  const other = pack(['u', 't', SESSION + 1, 0]).data;
  assert.match(String(accepted([other]).problems[0]), /another session/);
});

test('an acknowledgment of something else is detected', () => {
  const outbound = new Outbound();
  const inbound = new Inbound(SESSION);
  for (const number of [0, 1, 2]) {
    const { data, sum } = message(number);
    outbound.add(sum, data.length);
    const opened = unpack(number === 2 ? message(number, 'other').data : data);
    if (opened) inbound.accept(opened, false);
    if (number === 1) assert.equal(outbound.acknowledge(2, inbound.digest), null);
  }
  assert.match(String(outbound.acknowledge(2, inbound.digest)), /after 2/);
  assert.match(String(outbound.acknowledge(4, inbound.digest)), /3 were sent/);
  assert.match(String(outbound.acknowledge(3, inbound.digest)), /are not those/);
});

test('callbacks that run twice, out of order or after a failure are detected', () => {
  const callbacks = new Callbacks();
  for (let left = 6; left > 0; left--) callbacks.make();
  assert.equal(callbacks.call(0, false), null);
  assert.match(String(callbacks.call(0, false)), /again/);
  assert.match(String(callbacks.call(2, false)), /1 was next/);
  assert.match(String(callbacks.call(1, false)), /3 was next/);
  assert.equal(callbacks.call(4, true), null);
  assert.match(String(callbacks.call(5, false)), /after one that failed/);
  assert.equal(callbacks.outstanding, 1);
});

/** The plan of the first session that satisfies a condition. @param {(plan: any) => boolean} holds */
function planWhere(holds) {
  for (let id = LANES.subject.first * GENERATIONS; ; id++) {
    const plan = planSession(1, id);
    if (holds(plan)) return plan;
  }
}

/**
 * The ledger's violations for a good session with these changes. @param {any} plan @param {object} client @param {object}
 * [server]
 */
function judged(plan, client, server = {}) {
  const { code, reason } = plan.ending;
  const sums = {
    callbacks: 3,
    forgotten: 0,
    pings: 0,
    pongs: 0,
    broadcastsSent: 0,
    broadcastsAcked: 0,
    broadcastsRecorded: 0
  };
  const wrong = { lost: 0, duplicated: 0, misordered: 0, problems: [], errors: [], buffered: 0 };
  const well = { ...sums, ...wrong, id: plan.id, code, reason, bytes: 1, opened: true };
  const ledger = new Ledger(plan.seed);
  ledger.add('client', { ...well, sent: 9, acked: 9, recorded: 4, ...client });
  ledger.add('server', { ...well, sent: 4, acked: 4, recorded: 9, ...server });
  ledger.finish();
  return ledger;
}

test('the ledger compares both ends', () => {
  const plan = planWhere(
    ({ fault, ending }) => !fault.cut && !fault.flip && ending.how === 'close'
  );
  assert.deepEqual(judged(plan, {}).violations, []);
  assert.equal(judged(plan, {}, { recorded: 8 }).ackedNotRecorded, 1);
  assert.match(judged(plan, { sent: 10 }).violations[0], /10 sent, 9 arrived/);
  assert.match(judged(plan, { code: 1006 }).violations[0], /closed with 1006/);
  assert.match(judged(plan, { buffered: 1 }).violations[0], /bufferedAmount/);
  assert.match(judged(plan, { errors: ['oh'] }).violations[0], /oh/);
  assert.match(judged(plan, { problems: ['checksum'] }).violations[0], /checksum/);
});

test('a changed bit may be detected, but not acknowledged', () => {
  const plan = planWhere(({ fault }) => fault.flip);
  assert.equal(judged(plan, { code: 1006, problems: ['checksum'] }).violationCount, 0);
  assert.equal(judged(plan, { problems: ['acknowledged: they are not those'] }).violationCount, 1);
});

test('memory that grows is detected', () => {
  const at = (/** @type {number} */ rss) => ({
    rss,
    heapUsed: 0,
    external: 0,
    descriptors: 9,
    threads: 2
  });
  const MIB = 1024 * 1024;
  const seconds = Array.from({ length: 60 }, (_, second) => second);
  const verdict = (/** @type {number} */ rise) =>
    judgeMemory(seconds.map((second) => at((100 + rise * second) * MIB)))[0].isFlat;
  assert.equal(verdict(0.1), true);
  assert.equal(verdict(3), false);
  assert.equal(judgeMemory(seconds.slice(0, 20).map(at))[0].isFlat, null);
});

test('the plan is the same each time', () => {
  const id = LANES.subject.first * GENERATIONS + 5;
  assert.deepEqual(planSession(3, id), planSession(3, id));
  assert.notDeepEqual(planSession(3, id).fault, planSession(4, id).fault);
});

test('texts are whole characters', () => {
  const random = new Random(1);
  for (let left = 200; left > 0; left--) {
    const body = makeBody(random, false, random.size(0, 1000));
    assert.deepEqual(Buffer.from(body.toString()), body);
  }
});

test('frames are found at every split of the bytes', () => {
  const head = Buffer.from('GET / HTTP/1.1\r\n\r\n');
  const payloads = [0, 5, 126, 70_000].map((length) => Buffer.alloc(length, 'x'));
  const frames = payloads.map((payload) => clientFrame(2, payload));
  const bytes = Buffer.concat([head, ...frames]);
  const starts = frames.map((_, n) => head.length + Buffer.concat(frames.slice(0, n)).length);
  for (const size of [1, 2, 3, 7, 1000, bytes.length]) {
    const places = starts.map((_, frame) => {
      const walker = new FrameWalker();
      for (let at = 0; at < bytes.length; at += size) {
        const target = { where: /** @type {const} */ ('header'), frame, skip: 0 };
        const found = find(walker, bytes.subarray(at, at + size), target);
        if (found >= 0) return at + found;
      }
      return -1;
    });
    assert.deepEqual(places, starts);
    const reader = new FrameReader();
    const read = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const { payload } of reader.read(bytes.subarray(at, at + size)))
        read.push(payload.length);
    }
    assert.deepEqual(read, [0, 5, 126, 70_000]);
  }
});

/**
 * The bytes that a proxy passes on, and the end of the connection.
 *
 * @param {any} t
 * @param {any} fault
 * @param {...Buffer} parts each sent when the previous one has arrived
 */
async function through(t, fault, ...parts) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const proxy = new Proxy(port, () => fault);
  const client = connect(await proxy.listen(), '127.0.0.1');
  t.after(() => {
    proxy.close();
    server.close();
  });
  /** @type {string[]} */
  const errors = [];
  client.on('error', (/** @type {NodeJS.ErrnoException} */ { code }) =>
    errors.push(`client ${code}`)
  );
  let expected = 0;
  const sendNext = () => {
    const part = parts.shift() ?? Buffer.alloc(0);
    expected += part.length;
    if (parts.length > 0) client.write(part);
    else client.end(part);
  };
  client.resume();
  sendNext();
  const [socket] = await once(server, 'connection');
  socket.on('error', (/** @type {NodeJS.ErrnoException} */ { code }) =>
    errors.push(`server ${code}`)
  );
  /** @type {Buffer[]} */
  const chunks = [];
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    chunks.push(chunk);
    expected -= chunk.length;
    if (expected === 0 && parts.length > 0) sendNext();
  });
  await Promise.all([
    new Promise((resolve) => socket.on('close', resolve)),
    new Promise((resolve) => client.on('close', resolve))
  ]);
  return { received: Buffer.concat(chunks), errors, counts: proxy.counts };
}

const REQUEST = Buffer.concat([
  Buffer.from('GET /?s=7 HTTP/1.1\r\n\r\n'),
  clientFrame(2, Buffer.from('first')),
  clientFrame(2, Buffer.from('second'))
]);
const SECOND_AT = REQUEST.length - clientFrame(2, Buffer.from('second')).length;
const FAULT = { shape: 'forward', shaped: ['up'], amount: 0.1, direction: 'up', side: 'both' };
const SECOND = { where: 'payload', frame: 1, skip: 2 };

for (const shape of ['forward', 'bytes', 'segments', 'delay', 'stall', 'throttle']) {
  test(`${shape}: every byte is passed on`, async (t) => {
    const bytes = Buffer.concat([REQUEST, makeBody(new Random(2), true, 300_000)]);
    const fault = { ...FAULT, shape, cut: null, flip: null };
    const { received, errors, counts } = await through(t, fault, bytes);
    assert.ok(received.equals(bytes));
    assert.deepEqual(errors, []);
    assert.deepEqual(counts, shape === 'forward' ? {} : { [shape]: 1 });
  });
}

test('a planned end comes at its byte', async (t) => {
  const cut = { kind: 'fin', ...SECOND };
  const { received, errors, counts } = await through(t, { ...FAULT, cut, flip: null }, REQUEST);
  assert.deepEqual(received, REQUEST.subarray(0, -4));
  assert.deepEqual(errors, []);
  assert.deepEqual(counts, { 'fin in payload': 1 });
});

test('a planned reset is passed on as a reset', async (t) => {
  const cut = { kind: 'reset', where: 'header', frame: 1, skip: 0 };
  const parts = [REQUEST.subarray(0, SECOND_AT), REQUEST.subarray(SECOND_AT)];
  const { errors, counts } = await through(t, { ...FAULT, cut, flip: null }, ...parts);
  assert.deepEqual(errors.sort(), ['client ECONNRESET', 'server ECONNRESET']);
  assert.deepEqual(counts, { 'reset in header': 1 });
});

test('a planned bit is changed', async (t) => {
  const fault = { ...FAULT, cut: null, flip: { ...SECOND, bit: 0 } };
  const { received, counts } = await through(t, fault, REQUEST);
  const expected = Buffer.from(REQUEST);
  expected[REQUEST.length - 4] ^= 1;
  assert.deepEqual(received, expected);
  assert.deepEqual(counts, { 'flip in payload': 1 });
});

test('the proxy affects a WebSocket as planned', async (t) => {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  const cut = { kind: 'half', where: 'header', frame: 2, skip: 0 };
  const proxy = new Proxy(wss.address().port, () => ({
    ...FAULT,
    shape: 'bytes',
    cut,
    flip: null
  }));
  const client = new WebSocket(`ws://127.0.0.1:${await proxy.listen()}/?s=7`);
  t.after(() => {
    proxy.close();
    wss.close();
  });
  client.on('open', () => {
    for (const text of ['a', 'b', 'c', 'd']) client.send(text);
  });
  /** @type {string[]} */
  const received = [];
  const [server] = await once(wss, 'connection');
  server.on('message', (/** @type {Buffer} */ data) => received.push(`${data}`));
  const [[code]] = await Promise.all([once(server, 'close'), once(client, 'close')]);
  assert.deepEqual(received, ['a', 'b']);
  assert.equal(code, 1006);
  assert.deepEqual(proxy.counts, { bytes: 1, 'half in header': 1 });
});
