'use strict';

// Buffers that are reused after a send, and traffic without a send: statements S3, S9 and P3, and options of send.

const { scenario } = require('../run');
const { OPCODE } = require('../frames');

const BOTH = ['server', 'client'];
const { text, close } = OPCODE;

scenario('S3 binary selects the opcode only', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const invalid = Buffer.from([0xff, 0xc0, 0x80]);
  ws.send(invalid, { binary: false });
  ws.send('gr\u00fc\u00dfe', { binary: true });
  ws.send('gr\u00fc\u00dfe', { binary: 0 });
  ws.send(new Blob([invalid]), { binary: false });
  ws.send(Buffer.alloc(0), { binary: false });
  ws.send('', { binary: 'yes' });
  ws.send(invalid, { binary: null });
  ws.close(1000);
  t.logFrames(...(await raw.framesThrough(close)));
});

scenario('S3 binary data sent as text is rejected by the peer', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.send(Buffer.from([0xff]), { binary: false });
  await t.closed(server, client);
});

scenario('S9 a Buffer can be reused after the callback', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const data = Buffer.alloc(100000);
  for (const letter of ['a', 'b', 'c']) {
    data.fill(letter);
    const sent = new Promise((resolve) => ws.send(data, resolve));
    t.logFrames(await raw.frame());
    await sent;
  }
});

scenario(
  'P3 an open connection has no timer and sends nothing by itself',
  'api',
  async (t) => {
    const { code, output } = await t.child('idle.js', t.serverSubject).finished;
    t.log('child', 'exit', code);
    for (const line of output) t.trace.line('child', line);
  },
  { isWaiting: true }
);

scenario('1.3 options of send of every type', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const all = [
    undefined,
    null,
    {},
    { fin: undefined },
    { fin: 1 },
    { binary: undefined },
    'text',
    5
  ];
  for (const [index, options] of all.entries()) {
    t.attempt(lane, `options ${index}`, () => ws.send(`message ${index}`, options));
    t.attempt(lane, 'end', () => ws.send('end', { fin: true }));
  }
  ws.close(1000);
  t.logFrames(...(await raw.framesThrough(close)));
});

scenario(
  '1.3 ws.pong overridden on the prototype of a subclass and on one socket',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    const inherited = ws.pong;
    ws.pong = function (data, mask, callback) {
      t.log(lane, 'pong', data, mask, typeof callback);
      return inherited.call(this, 'other', mask, callback);
    };
    raw.send(OPCODE.ping, 'one');
    t.logFrames(await raw.frame());
    delete ws.pong;
    raw.send(OPCODE.ping, 'two');
    t.logFrames(await raw.frame());
    ws.pong = () => t.log(lane, 'not answered');
    raw.send(OPCODE.ping, 'three');
    raw.send(text, 'heard');
    await t.emitted(ws, 'message');
    ws.send('end');
    t.logFrames(await raw.frame());
  }
);

scenario('1.3 blobs that are received and forwarded', 'pair', async (t) => {
  const { server, client } = await t.pair();
  server.binaryType = 'blob';
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  client.send(Buffer.from('small'));
  client.send('text between');
  client.send(Buffer.alloc(100000, 'large'));
  client.send(new Blob(['a ', 'blob'], { type: 'text/plain' }));
  client.send(new Blob([]));
  await t.emitted(client, 'message', 5);
  client.close(1000);
  await t.closed(server, client);
});

/** More than the buffers of two sockets hold. */
const BLOCKING = 16 << 20;

scenario('S7 messages sent in the callback of a blocked send are flushed', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.send(Buffer.alloc(BLOCKING), () => ws.send('behind it'));
  const [large, small] = [await raw.frame(), await raw.frame()];
  t.log('wire', 'frames', large.payload.length, String(small.payload));
});

scenario('S10 callbacks of sent messages when the socket is terminated', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  raw.socket.pause();
  ws.send(Buffer.alloc(BLOCKING), (err) => {
    t.log(lane, 'large', err);
    ws.terminate();
  });
  // In writes of their own, which leave with the end of the large one, before its callback.
  await new Promise(setImmediate);
  for (const name of ['one', 'two']) ws.send(name, (err) => t.log(lane, name, err));
  raw.socket.resume();
  await t.closed(ws);
});
