'use strict';

// The attack classes A2 to A25 of the specification, without those covered by other files.

const fs = require('node:fs');
const { once } = require('node:events');
const { scenario } = require('../run');
const { OPCODE, frame } = require('../frames');
const { upgradeRequest } = require('../raw-peer');

const BOTH = ['server', 'client'];
const { continuation, text, binary, close, ping } = OPCODE;

/** Bytes of reserved address space, on systems that report it. */
function reservedAddressSpace() {
  if (!fs.existsSync('/proc/self/status')) return 0;
  return Number(/^VmSize:\s+(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
}

scenario('A2 declared lengths reserve no memory', BOTH, async (t) => {
  const before = reservedAddressSpace();
  for (let i = 0; i < 30; i++) {
    const { raw, ws } = await t.withRawPeer();
    raw.write(frame(binary, '', { key: raw.key, declare: 100 << 20 }));
    raw.send(text, 'the first bytes of it');
    raw.finish();
    await t.closed(ws);
  }
  t.log('process', 'reserved less than a gigabyte', reservedAddressSpace() - before < 1 << 30);
});

scenario('A2 a declared length without a limit', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ maxPayload: 0 });
  raw.write(frame(binary, 'a few bytes', { key: raw.key, declare: 2n ** 52n }));
  raw.finish();
  await t.closed(ws);
});

scenario('A3 empty fragments count, pings in between do not reset the count', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ maxFragments: 3, autoPong: false });
  for (let i = 0; i < 4; i++) {
    raw.send(i ? continuation : text, '', { fin: false });
    raw.send(ping, String(i));
  }
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('A3 the limit of fragments by default', BOTH, async (t) => {
  for (const count of [16384, 16385]) {
    const { raw, ws } = await t.withRawPeer();
    const all = [raw.make(binary, 'x', { fin: false })];
    for (let i = 2; i < count; i++) all.push(raw.make(continuation, '', { fin: false }));
    all.push(raw.make(continuation, 'y'));
    raw.write(Buffer.concat(all));
    await Promise.race([t.emitted(ws, 'message'), t.emitted(ws, 'error')]);
  }
});

scenario('A4 a message in segments of one byte', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const bytes = raw.make(binary, Buffer.alloc(2000, 'tiny'));
  for (const byte of bytes) {
    await new Promise((resolve) => raw.socket.write(Buffer.from([byte]), resolve));
  }
  await t.emitted(ws, 'message');
});

scenario(
  'A7 an incomplete request times out, an open connection does not',
  'server',
  async (t) => {
    const server = await t.http(undefined, {
      options: { headersTimeout: 50, requestTimeout: 60, connectionsCheckingInterval: 20 }
    });
    const wss = await t.listen({ server });
    const open = await t.sendRequest(server);
    await open.head();
    const { server: ws } = await t.accepted(wss);
    const slow = await t.sendRequest(server, upgradeRequest().slice(0, -4));
    t.log('wire', 'slow', (await slow.rest()).toString().split('\r\n')[0]);
    open.send(text, 'still here');
    await t.emitted(ws, 'message');
  },
  { isWaiting: true }
);

scenario('A8 headers of separators only', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  const names = ['Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions'];
  const values = [',', ' ', '"', ';', '\t', 'a ', 'a;', '\\', 'a="'];
  for (const name of names) {
    for (const value of values) {
      const headers = { [name]: `a${value.repeat(Math.floor(12000 / value.length))}b` };
      const { raw, head } = await t.request(wss, { headers });
      if (!head.startsWith('HTTP/1.1 101')) t.log('wire', 'body', await raw.rest());
    }
  }
});

scenario('A8 names of Object.prototype are ordinary names', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  const names = 'constructor, __proto__, hasOwnProperty, toString';
  await t.request(wss, {
    headers: {
      'Sec-WebSocket-Protocol': names,
      'Sec-WebSocket-Extensions': `${names}, x; __proto__; constructor=1; toString`
    }
  });
  const { server } = await t.accepted(wss);
  t.log('server', 'protocol', server.protocol, server.extensions);
});

scenario('A9 results of hooks are written verbatim', 'server', async (t) => {
  const wss = await t.listen({ handleProtocols: () => 'a\r\nX-Second: yes' });
  const headers = { 'Sec-WebSocket-Protocol': 'a' };
  await t.request(wss, { headers });
  wss.options.handleProtocols = () => Promise.resolve('b');
  await t.request(wss, { headers });
  wss.options.handleProtocols = () => 12;
  await t.request(wss, { headers });
  wss.options.verifyClient = (info, callback) =>
    callback(false, 403, 'a <message>', { 'X-Mine': 'a, b', Connection: 'keep-alive' });
  const { raw } = await t.request(wss, { headers });
  t.log('wire', 'body', await raw.rest());
});

scenario('A9 a subprotocol cannot contain a line break', 'client', (t) => {
  for (const name of ['a\r\nX-Second: yes', 'a\n', 'a\u0000', 'a,b', 'a b']) {
    t.attempt('client', 'protocol', () => new t.WebSocket('ws://127.0.0.1:9', name));
  }
  for (const url of ['ws://127.0.0.1:9/a\r\nX-Second: yes', 'ws://127.0.0.1:9/?a\nb']) {
    t.log('client', 'url', t.openClient(url, undefined, { createConnection: idle }).url);
  }
});

function idle() {
  return new (require('node:net').Socket)();
}

/** Valid and invalid sequences, split at every byte. */
const SEQUENCES = [
  ['two bytes', 'c3bc'],
  ['four bytes', 'f09fa680'],
  ['the last code point', 'f48fbfbf'],
  ['overlong', 'e0809f'],
  ['a surrogate', 'eda080'],
  ['beyond the last', 'f4908080'],
  ['truncated', 'f09fa6'],
  ['a stray continuation', '61bf62']
];

for (const [name, hex] of SEQUENCES) {
  scenario(`A10 UTF-8 split at every byte: ${name}`, BOTH, async (t) => {
    const bytes = Buffer.from(hex, 'hex');
    for (let cut = 1; cut < bytes.length; cut++) {
      const { raw, ws } = await t.withRawPeer();
      raw.send(text, bytes.subarray(0, cut), { fin: false });
      raw.send(continuation, bytes.subarray(cut));
      await Promise.race([t.emitted(ws, 'message'), t.emitted(ws, 'error')]);
      const { raw: other, ws: second } = await t.withRawPeer();
      const whole = other.make(text, bytes);
      other.write(whole.subarray(0, whole.length - bytes.length + cut));
      other.write(whole.subarray(whole.length - bytes.length + cut));
      await Promise.race([t.emitted(second, 'message'), t.emitted(second, 'error')]);
    }
  });
}

scenario('A11 a masking key of zeros is valid', 'server', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.send(text, 'zeros', { key: Buffer.alloc(4) });
  raw.send(binary, Buffer.alloc(70000, 'zeros'), { key: Buffer.alloc(4) });
  await t.emitted(ws, 'message', 2);
});

scenario('A14 masking keys do not repeat', 'client', async (t) => {
  const keys = new Set();
  for (let i = 0; i < 2; i++) {
    const { raw, ws } = await t.withRawPeer();
    for (let j = 0; j < 100; j++) ws.send('x');
    ws.ping();
    for (const { key } of await raw.framesThrough(ping)) keys.add(key.toString('hex'));
  }
  t.log('wire', 'keys', keys.size, keys.has('00000000'));
});

scenario('A16 a late refusal prevents the connection', 'server', async (t) => {
  let decide;
  const asked = new Promise((resolve) => (decide = resolve));
  const wss = await t.listen({
    verifyClient: ({ origin, req }, callback) => {
      t.log('server', 'verifyClient', origin, req.headers.cookie);
      decide(callback);
    }
  });
  const raw = await t.sendRequest(wss, {
    headers: { Origin: 'http://evil.example', Cookie: 'id=1' }
  });
  const callback = await asked;
  callback(false);
  t.logHead(await raw.head());
  t.log('wire', 'body', await raw.rest());
  raw.finish();
  t.log('server', 'clients', wss.clients.size);
});

scenario('A17 a request after a refused one is not served', 'server', async (t) => {
  const wss = await t.listen();
  wss._server.prependListener('request', (request) => t.log('server', 'request', request));
  const bad = upgradeRequest({ headers: { 'Sec-WebSocket-Version': '12' } });
  const raw = await t.rawClient(wss);
  raw.write(`${bad}GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  t.logHead(await raw.head());
  t.log('wire', 'rest', await raw.rest());
});

scenario('A17 a request after an accepted one is not a frame', 'server', async (t) => {
  const after = Buffer.from('GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const { raw, ws } = await t.withRawPeer({}, { after });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('A19 only the bytes of the caller are sent', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.ping(100);
  ws.pong(3);
  ws.send(1000);
  for (let i = 0; i < 3; i++) t.logFrames(await raw.frame());
  for (const reason of [
    new Uint16Array(3),
    new DataView(new ArrayBuffer(3)),
    5,
    new Float64Array(1)
  ])
    t.attempt(lane, 'close', () => ws.close(1000, reason));
  const slice = Buffer.allocUnsafe(100).subarray(10, 13).fill('s');
  ws.send(slice);
  ws.send(slice.buffer.slice(slice.byteOffset, slice.byteOffset + 3));
  ws.close(1000, slice);
  t.logFrames(...(await raw.framesThrough(close)));
});

scenario('A20 delivered memory is not written again', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const kept = [];
  ws.removeAllListeners('message');
  ws.removeAllListeners('ping');
  const all = new Promise((resolve) => {
    ws.on('message', (data) => kept.push(data) === 200 && resolve());
  });
  ws.on('ping', (data) => kept.push(data));
  for (let i = 0; i < 190; i++) raw.send(binary, Buffer.alloc(i * 11, i));
  for (let i = 0; i < 5; i++) raw.send(ping, Buffer.alloc(50, i));
  for (let i = 0; i < 5; i++) raw.send(binary, Buffer.alloc(40000, i));
  await all;
  let wrong = 0;
  for (const data of kept) if (data.some((byte) => byte !== data[0])) wrong++;
  t.log(lane, 'kept', kept.length, wrong);
  kept.forEach((data) => data.fill(0xff));
  raw.send(text, 'after the listener has written to what it got');
  await once(ws, 'message');
  t.log(lane, 'last', kept.at(-1));
});

scenario('A20 a sent Buffer may be changed after its callback', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const data = Buffer.alloc(3);
  for (let i = 0; i < 5; i++) {
    data.fill(65 + i);
    await new Promise((resolve) => ws.send(data, resolve));
  }
  for (let i = 0; i < 5; i++) t.logFrames(await raw.frame());
});

scenario('A21 a close reason has memory of its own', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const closed = once(ws, 'close');
  raw.send(binary, Buffer.alloc(1000));
  raw.close(3000, 'a reason');
  await raw.framesThrough(close);
  raw.finish();
  const [, reason] = await closed;
  t.log(lane, 'reason', reason, reason.buffer.byteLength < 1000);
});

scenario(
  'A25 many sockets that end in every way at once',
  'api',
  async (t) => {
    const { code, signal, output } = await t.child('concurrent-ends.js', t.serverSubject).finished;
    t.log('child', 'ended', code, signal);
    for (const line of output) t.trace.line('child', line);
  },
  { isWaiting: true }
);
