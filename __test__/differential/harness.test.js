'use strict';

// Tests of the harness: equality of traces, and that each fault of mutants.js is detected by the scenario listed for it.
// selfcheck.js tests the reverse, that each scenario detects a fault.

const assert = require('node:assert/strict');
const { describe, it, test } = require('node:test');
const { OPCODE, KEY, decode, frame, frameText } = require('./frames');
const mutants = require('./mutants');
const { record, scenarios, verdict } = require('./run');
const { areThreadsAsked, combinations, oracle, subject } = require('./subjects');
const { Trace, difference, valueText } = require('./trace');

/** The scenario that must detect each fault. */
const SCENARIO_OF = {
  close: 'K4 simultaneous close with different codes',
  message: 'R7 message data are Buffers (client)',
  ping: 'P1 pings between two libraries',
  pong: 'P1 unsolicited pongs are reported (server)',
  error: 'C13 connection refused',
  open: 'C8 informational responses before the 101 are skipped',
  upgrade: 'C9 close() in a listener of upgrade',
  wire: 'S4 fragments (server)',
  answer: 'H5 accepts a plain request',
  http: 'H1 a request without Upgrade is answered 426',
  request: 'C4 the request with nothing special',
  throws: 'C2 addresses that throw',
  returns: 'S13 send returns nothing (server)',
  callbacks: 'S10 callbacks come later, in order, without an error (client)',
  getters: 'B2 bufferedAmount is 0 right after a send that the kernel accepted (server)',
  context: 'X1 events of a client run in the context of its constructor',
  shape: '1.2 exports',
  server: 'H4 wsClientError in place of a response: no key is 400',
  forgetful: 'K7 terminate()',
  key: 'C4 every client has a key of its own',
  unexpected: 'C12 destroying the request of an unexpected response',
  eager: 'H10 a client that disconnects during verifyClient',
  swallow: 'R9 an uncaught exception ends the process',
  socket: '3.1 timeout of the raw socket (server)',
  receiver: '3.1 Receiver by itself',
  target: 'C3 brackets of IPv6 and default ports',
  settings: '1.4 path',
  deflate: '1.6 PerMessageDeflate: offers and answers',
  hidden: '3.1 _receiver shows its settings (server)'
};

/** Milliseconds per run with a mutant. A run that does not end counts as detected. */
const LIMIT = 2000;

test('frames are read as they were written', () => {
  for (const length of [0, 1, 125, 126, 65535, 65536]) {
    for (const key of [undefined, KEY]) {
      const payload = Buffer.alloc(length, 'payload');
      const bytes = frame(OPCODE.binary, payload, { key, fin: false, rsv: 5 });
      const decoded = decode(Buffer.concat([bytes, Buffer.from('more')]));
      assert.equal(decoded.size, bytes.length);
      assert.deepEqual(decoded.payload, payload);
      assert.equal(decoded.fin, false);
      assert.equal(decoded.rsv, 5);
      assert.equal(decode(bytes.subarray(0, -1)), null);
    }
  }
  assert.deepEqual(
    frame(OPCODE.text, 'Hello', { key: KEY }).toString('hex'),
    '818537fa213d7f9f4d5158'
  );
  assert.equal(frameText(decode(frame(OPCODE.text, 'Hello', { key: KEY }))), 'text masked "Hello"');
});

test('values that differ are shown differently', () => {
  const values = [
    undefined,
    null,
    0,
    '0',
    'undefined',
    Buffer.from('0'),
    new Uint8Array([48]),
    new Uint8Array([48]).buffer,
    new Blob(['0']),
    [Buffer.from('0')],
    new Error('0'),
    new TypeError('0'),
    Object.assign(new Error('0'), { code: '0' }),
    { 0: 0 }
  ];
  assert.equal(new Set(values.map(valueText)).size, values.length);
});

test('traces: lanes keep their order, ports are hidden, a difference is shown', () => {
  const make = (port, ...events) => {
    const trace = new Trace();
    trace.hide(`:${port}`, ':PORT');
    for (const [lane, ...args] of events) trace.event(lane, 'event', args);
    return trace.lines();
  };
  const one = make(1234, ['a', 'at :1234'], ['b', 1], ['a', 2]);
  assert.equal(difference(one, make(99, ['b', 1], ['a', 'at :99'], ['a', 2])), null);
  const diff = difference(one, make(99, ['a', 2], ['a', 'at :99'], ['b', 1]));
  assert.match(diff, /^- .*event\("at :PORT"\)$/m);
  assert.match(diff, /^\+ /m);
  assert.notEqual(difference(one, one.slice(1)), null);
});

test('interleaved traces: the order between lanes counts, too', () => {
  const make = (isInterleaved, ...lanes) => {
    const trace = new Trace(isInterleaved);
    for (const lane of lanes) trace.event(lane, 'event', []);
    return trace.lines();
  };
  assert.equal(difference(make(false, 'a', 'b', 'a'), make(false, 'b', 'a', 'a')), null);
  assert.notEqual(difference(make(true, 'a', 'b', 'a'), make(true, 'b', 'a', 'a')), null);
  const { expected } = combinations('together', oracle(), oracle());
  assert.equal(expected.isInterleaved, !areThreadsAsked());
});

test('a run that breaks off or does not end is a difference', async () => {
  const combination = { kind: 'api', server: oracle(), client: oracle() };
  const run = (body, limit) => record({ body, timeout: 1000 }, combination, limit);
  const good = await run((t) => t.log('a', 'event'));
  assert.equal(verdict(good, await run((t) => t.log('a', 'event'))), null);
  const broken = await run((t) => {
    t.log('a', 'event');
    throw new Error('broken');
  });
  assert.match(verdict(good, broken), /broken/);
  const endless = await run((t) => {
    t.log('a', 'event');
    return new Promise(() => {});
  }, 10);
  assert.match(verdict(good, endless), /not finished/);
});

const ws = oracle();
const all = scenarios();

test('every fault has its scenario', () =>
  assert.deepEqual(Object.keys(SCENARIO_OF).sort(), mutants.names.sort()));

// Some faults are detected by the time limit only: these waits overlap.
describe('faults', { concurrency: 8 }, () => {
  for (const [fault, name] of Object.entries(SCENARIO_OF)) {
    it(`detects '${fault}'`, async () => {
      const one = all.find((candidate) => candidate.name === name);
      assert.ok(one, `no scenario ${name}`);
      const model = await record(one, combinations(one.kind, ws, ws).expected);
      const [combination] = combinations(one.kind, ws, subject(`mutant:${fault}`)).actual;
      assert.notEqual(verdict(model, await record(one, combination, LIMIT)), null);
    });
  }
});
