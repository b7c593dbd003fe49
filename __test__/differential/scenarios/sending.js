'use strict';

// Frames and results of send, ping and pong: statements S1 to S13.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');

const BOTH = ['server', 'client'];

/** Frames up to a ping that marks the end and is not recorded. */
async function framesUntilPing(t, ws, raw, action) {
  await action();
  ws.ping('end of this step');
  const frames = await raw.framesThrough(OPCODE.ping);
  t.logFrames(...frames.slice(0, -1));
}

const view = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]).subarray(2, 5);
/** New for each use: ws masks shared memory in place. */
function sharedMemory() {
  const memory = new SharedArrayBuffer(3);
  new Uint8Array(memory).set([7, 8, 9]);
  return memory;
}

/** Every type that send accepts or refuses. */
const VALUES = [
  ['string', 'grüß dich €'],
  ['empty string', ''],
  ['lone surrogate', 'a\ud800b'],
  ['number', 12.5],
  ['NaN', NaN],
  ['negative zero', -0],
  ['undefined', undefined],
  ['null', null],
  ['false', false],
  ['true', true],
  ['bigint', 1n],
  ['symbol', Symbol('s')],
  ['object', {}],
  ['Buffer', Buffer.from([1, 2, 3])],
  ['empty Buffer', Buffer.alloc(0)],
  ['view', view],
  ['Uint16Array', new Uint16Array([0x0102, 0x0304])],
  ['Float64Array', new Float64Array([1.5])],
  ['DataView', new DataView(view.buffer, 1, 3)],
  ['ArrayBuffer', view.buffer],
  ['SharedArrayBuffer', null, sharedMemory],
  ['Array', [1, 2, 257, -1, 'x', '3']],
  ['array-like', { length: 2, 0: 1, 1: 2 }],
  ['String object', new String('boxed')],
  ['Date', new Date(0)],
  ['valueOf', { valueOf: () => 'from valueOf' }],
  ['toPrimitive', { [Symbol.toPrimitive]: () => 'from toPrimitive' }],
  ['toString', { toString: () => 'from toString' }],
  ['function', () => {}]
];

for (const [name, fixed, make = () => fixed] of VALUES) {
  scenario(`S2 send(${name})`, BOTH, async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    await framesUntilPing(t, ws, raw, () =>
      t.attempt(lane, 'send', () => ws.send(make(), { binary: undefined }))
    );
    await framesUntilPing(t, ws, raw, () => t.attempt(lane, 'send', () => ws.send(make())));
    await framesUntilPing(t, ws, raw, () =>
      t.attempt(lane, 'text', () => ws.send(make(), { binary: false }))
    );
    await framesUntilPing(t, ws, raw, () =>
      t.attempt(lane, 'binary', () => ws.send(make(), { binary: true }))
    );
  });
}

scenario('S11 ping and pong of every type', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  for (const [name, fixed, make = () => fixed] of VALUES) {
    if (name === 'function') continue;
    await framesUntilPing(t, ws, raw, () =>
      t.attempt(lane, `pong(${name})`, () => ws.pong(make()))
    );
    t.attempt(lane, `ping(${name})`, () => ws.ping(make()));
    // A pong marks the end here, because pings are compared.
    ws.pong('end of this step');
    t.logFrames(...(await raw.framesThrough(OPCODE.pong)));
  }
});

scenario('S11 arguments of ping and pong', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const masked = t.kind === 'client';
  for (const call of ['ping', 'pong']) {
    ws[call]();
    t.logFrames(await raw.frame());
    const steps = [
      (done) => ws[call](done),
      (done) => ws[call]('data', done),
      (done) => ws[call]('data', masked, done),
      (done) => ws[call]('data', !masked, done),
      (done) => ws[call](undefined, undefined, done)
    ];
    for (const step of steps) {
      const error = await new Promise(step);
      t.log(lane, `${call} called back`, !error);
      t.logFrames(await raw.frame());
    }
    t.attempt(lane, 'too long', () => ws[call]('x'.repeat(126)));
    t.attempt(lane, 'too long in UTF-8', () => ws[call]('ä'.repeat(63)));
    t.attempt(lane, 'longest', () => ws[call]('ä'.repeat(62)));
    t.logFrames(await raw.frame());
  }
});

scenario('S1 send, ping and pong while connecting throw', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url);
  for (const call of ['send', 'ping', 'pong']) {
    t.attempt('client', call, () => ws[call]('x', () => t.log('client', 'called back')));
    t.attempt('client', `${call} of nonsense`, () => ws[call](Symbol('x')));
  }
  t.log('client', 'bufferedAmount', ws.bufferedAmount);
});

scenario('S1 send, ping and pong in CLOSING and CLOSED', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (const [lane, ws] of [
    ['client', client],
    ['server', server]
  ]) {
    if (lane === 'client') ws.close();
    else await t.closed(server, client);
    for (const call of ['send', 'ping', 'pong']) {
      await new Promise((resolve) => {
        t.attempt(lane, call, () =>
          ws[call]('äx', (err) => {
            t.log(lane, `${call} called back`, err);
            resolve();
          })
        );
        t.trace.event(lane, 'state', [ws.bufferedAmount], ws);
      });
      t.attempt(lane, 'without callback', () => ws[call](Buffer.alloc(7)));
      t.attempt(lane, 'number', () => ws[call](123));
      t.attempt(lane, 'nothing', () => ws[call]());
      t.attempt(lane, 'nonsense', () => ws[call](Symbol('x')));
      t.log(lane, 'bufferedAmount', ws.bufferedAmount);
    }
  }
});

/** Around every change of the length encoding of RFC 6455, section 5.2. */
const LENGTHS = [0, 1, 125, 126, 127, 65535, 65536, 70000, 1 << 20];

scenario('S2 length encodings', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  for (const length of LENGTHS) {
    ws.send(Buffer.alloc(length, 'abc'));
    ws.send('ä'.repeat(length >> 1));
    t.logFrames(await raw.frame(), await raw.frame());
  }
});

scenario('S4 fragments', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.send('one', { fin: false });
  ws.ping('between');
  ws.send('two', { fin: false, binary: true });
  ws.send('', { fin: false });
  ws.send(Buffer.from('three'), { fin: true });
  ws.send(Buffer.from('four'), { fin: false });
  ws.send('five', { fin: true, binary: false });
  ws.send('whole');
  ws.close(1000);
  t.logFrames(...(await raw.framesThrough(OPCODE.close)));
});

scenario('S4 fragments arrive as one message', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (const [from, to] of [
    [server, client],
    [client, server]
  ]) {
    from.send('gr', { fin: false });
    from.ping('between');
    from.send(Buffer.from([0xc3]), { fin: false });
    from.send(Buffer.from([0xbc]), { fin: false });
    from.send('n', { fin: true });
    from.send(new Uint8Array([1]), { fin: false });
    from.send(new Uint8Array([2, 3]), { fin: true });
    await t.emitted(to, 'message', 2);
    await t.emitted(from, 'pong');
  }
});

scenario('S5 compress has no effect when nothing is negotiated', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.send('x'.repeat(2000), { compress: true });
  ws.send('x'.repeat(2000), { compress: false });
  ws.send('x'.repeat(2000), { compress: undefined });
  t.logFrames(await raw.frame(), await raw.frame(), await raw.frame());
});

scenario('S7 order of sends, pings and close', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  for (let i = 0; i < 20; i++) {
    ws.send(`message ${i}`, (err) => t.log(lane, 'sent', i, !err));
    if (i % 3 === 0) ws.ping(String(i), (err) => t.log(lane, 'pinged', i, !err));
    if (i % 5 === 0) ws.send(Buffer.alloc(30000, i), (err) => t.log(lane, 'sent large', i, !err));
  }
  ws.close(1000, 'last');
  t.logFrames(...(await raw.framesThrough(OPCODE.close)));
  raw.close(1000);
  await raw.rest();
  raw.finish();
  await t.closed(ws);
});

scenario('S7 order behind a Blob', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const sent = (name) => (err) => t.log(lane, 'sent', name, !err);
  ws.send('before', sent('before'));
  ws.send(new Blob(['from ', 'a blob']), sent('blob'));
  ws.send('after', sent('after'));
  ws.ping('ping after', undefined, sent('ping'));
  ws.send(new File(['a file'], 'name.txt'), { binary: false }, sent('file'));
  ws.send(new Blob([]), sent('empty blob'));
  t.log(lane, 'bufferedAmount', ws.bufferedAmount);
  ws.close(1000, 'last');
  t.trace.event(lane, 'state', [], ws);
  t.logFrames(...(await raw.framesThrough(OPCODE.close)));
  raw.close(1000);
  await raw.rest();
  raw.finish();
  await t.closed(ws);
  t.log(lane, 'bufferedAmount', ws.bufferedAmount);
});

scenario('S12 an unreadable Blob', BOTH, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'differential-'));
  t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'blob');
  fs.writeFileSync(file, 'as it was');
  const blob = await fs.openAsBlob(file);
  fs.writeFileSync(file, 'and as it is now, longer');
  const { raw, ws, lane } = await t.withRawPeer();
  const sent = (name) => (err) => t.log(lane, 'sent', name, err);
  ws.send(blob, sent('blob'));
  ws.send('queued', sent('queued'));
  ws.ping('queued', undefined, sent('ping'));
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('S12 terminate() while a Blob is read', BOTH, async (t) => {
  const { ws, lane } = await t.withRawPeer();
  ws.send(new Blob(['x'.repeat(100)]), (err) => t.log(lane, 'blob', err));
  ws.send('queued', (err) => t.log(lane, 'queued', err));
  ws.terminate();
  await t.closed(ws);
});

scenario('S8 mask can be forced on and off', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  for (const mask of [true, false, undefined, null]) {
    ws.send('text', { mask });
    ws.ping('ping', mask);
    ws.pong('pong', mask);
    t.logFrames(...(await raw.framesThrough(OPCODE.pong)));
  }
});

scenario('S8 the peer rejects the wrong mask', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.send('not masked', { mask: false });
  await t.closed(server, client);
});

scenario('S8 the client rejects a masked frame', 'pair', async (t) => {
  const { server, client } = await t.pair();
  server.send('masked', { mask: true });
  await t.closed(server, client);
});

scenario('S8 masking does not change memory of the caller', 'client', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const bytes = Buffer.from('the same before and after');
  const large = Buffer.alloc(100000, 'large');
  const array = new Uint8Array(bytes).buffer;
  for (const value of [bytes, new Uint8Array(array), array, large]) {
    await new Promise((resolve) => ws.send(value, resolve));
    t.logFrames(await raw.frame());
    t.log('client', 'afterwards', value);
  }
  await new Promise((resolve) => ws.ping(bytes, true, resolve));
  t.log('client', 'afterwards', bytes);
});

scenario('S8 generateMask is called once per frame', 'client', async (t) => {
  let count = 0;
  const { raw, ws } = await t.withRawPeer({
    generateMask(mask) {
      t.log('client', 'generateMask', mask.length, Buffer.isBuffer(mask));
      mask.fill(++count);
    }
  });
  ws.send('one');
  ws.send(Buffer.alloc(3));
  ws.ping();
  raw.send(OPCODE.ping, 'asks for a pong');
  const frames = [await raw.frame(), await raw.frame(), await raw.frame(), await raw.frame()];
  await t.emitted(ws, 'ping');
  ws.close(1000);
  frames.push(await raw.frame());
  t.logFrames(...frames);
  for (const { key } of frames) t.log('wire', 'key', key);
});

scenario('S8 a masking key of zeros', 'client', async (t) => {
  const { raw, ws } = await t.withRawPeer({ generateMask: (mask) => mask.fill(0) });
  ws.send('text');
  ws.send(Buffer.alloc(70000, 'x'));
  t.logFrames(await raw.frame(), await raw.frame());
});

scenario('S10 callbacks come later, in order, without an error', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  let inside = true;
  const called = (name) => (err) => t.log(lane, name, !err, inside);
  t.log(lane, 'returned', ws.send('a', called('a')));
  ws.send('b', {}, called('b'));
  ws.send('c', null, called('c'));
  ws.send('d', undefined, called('d'));
  ws.ping('e', undefined, called('e'));
  ws.send(Buffer.alloc(200000), called('f'));
  const last = new Promise((resolve) => {
    ws.send('g', (...args) => {
      called('g')(...args);
      resolve();
    });
  });
  inside = false;
  for (let i = 0; i < 7; i++) t.logFrames(await raw.frame());
  await last;
});

scenario(
  'S10 callbacks of unsent messages of a terminated socket get an error',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    raw.socket.pause();
    // More than any socket buffer holds, so that at least the last one has certainly not been sent.
    for (let i = 0; i < 4; i++) ws.send(Buffer.alloc(16 << 20));
    ws.send('queued', (err) => t.log(lane, 'queued', err instanceof Error));
    ws.send('queued too', (err) => t.log(lane, 'queued too', err instanceof Error));
    t.log(lane, 'buffered', ws.bufferedAmount > 0);
    ws.terminate();
    await t.closed(ws);
  }
);

scenario('S13 send returns nothing', BOTH, async (t) => {
  const { ws, lane } = await t.withRawPeer();
  for (const call of ['send', 'ping', 'pong', 'pause', 'resume', 'close', 'terminate']) {
    t.attempt(lane, call, () => ws[call]());
  }
  await t.closed(ws);
});

scenario('S2 echo of every type in both directions', 'pair', async (t) => {
  const { server, client } = await t.pair();
  const payloads = [
    '',
    'text',
    'grüße 🦀',
    Buffer.alloc(0),
    Buffer.from([0, 255]),
    Buffer.alloc(70000, 1)
  ];
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  let count = 0;
  for (const payload of payloads) {
    client.send(payload);
    await t.emitted(client, 'message', ++count);
  }
});
