'use strict';

// bufferedAmount (B1 to B4), pause and resume (Q1 to Q4), pings and pongs (P1 to P3).

const { once } = require('node:events');
const { scenario } = require('../run');
const { OPCODE, closeBody } = require('../frames');

const BOTH = ['server', 'client'];
const { text, binary, ping, pong, close } = OPCODE;

scenario('B2 bufferedAmount is 0 right after a send that the kernel accepted', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  t.log(lane, 'before', ws.bufferedAmount);
  ws.send('small');
  t.log(lane, 'after one', ws.bufferedAmount);
  for (let i = 0; i < 10; i++) ws.send(Buffer.alloc(100));
  ws.ping();
  t.log(lane, 'after more', ws.bufferedAmount);
  await raw.framesThrough(ping);
  ws.close(1000);
  t.log(lane, 'after close', ws.bufferedAmount);
});

scenario(
  'B4 bufferedAmount grows while the peer does not read, and goes back to 0',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    raw.socket.pause();
    const size = 8 << 20;
    const sent = [];
    let before = 0;
    for (let i = 0; i < 4; i++) {
      sent.push(new Promise((resolve) => ws.send(Buffer.alloc(size), resolve)));
      t.log(lane, 'grows', ws.bufferedAmount > before);
      before = ws.bufferedAmount;
    }
    t.log(lane, 'bounded by what was sent', ws.bufferedAmount <= 4 * (size + 14));
    raw.socket.resume();
    for (const error of await Promise.all(sent)) t.log(lane, 'called back', !error);
    t.log(lane, 'afterwards', ws.bufferedAmount);
  }
);

scenario('B1 queued bytes count with their headers', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  raw.socket.pause();
  // Fills all buffers on the way, then records the effect of single sends.
  for (let i = 0; i < 4; i++) ws.send(Buffer.alloc(8 << 20));
  for (const length of [0, 1, 125, 126, 65535, 65536]) {
    const before = ws.bufferedAmount;
    ws.send(Buffer.alloc(length));
    t.log(lane, `message of ${length}`, ws.bufferedAmount - before);
  }
  const before = ws.bufferedAmount;
  ws.ping('12345');
  t.log(lane, 'ping of 5', ws.bufferedAmount - before);
});

scenario('B1 sends after closing count permanently', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.close();
  client.send('12345');
  client.ping('123');
  client.send('äöü');
  t.log('client', 'closing', client.bufferedAmount);
  await t.closed(server, client);
  client.send(Buffer.alloc(10));
  t.log('client', 'closed', client.bufferedAmount);
  t.log('server', 'closed', server.bufferedAmount);
});

scenario('B1 a Blob counts while it is read', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.send(new Blob(['x'.repeat(100)]));
  t.log(lane, 'blob', ws.bufferedAmount);
  ws.send('queued');
  ws.ping('123');
  t.log(lane, 'and two behind it', ws.bufferedAmount);
  await raw.framesThrough(ping);
  t.log(lane, 'afterwards', ws.bufferedAmount);
});

scenario('B3 bufferedAmount of a client that is not connected', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url);
  t.log('client', 'connecting', ws.bufferedAmount);
  ws.terminate();
  ws.send('123');
  t.log('client', 'closing', ws.bufferedAmount);
  await t.closed(ws);
  ws.send('45');
  t.log('client', 'closed', ws.bufferedAmount);
});

scenario('Q1 pause and resume before, during and after', 'pair', async (t) => {
  const wss = await t.listen();
  const client = t.openClient(t.url(wss));
  const states = (event) => t.trace.event('client', event, [client.isPaused], client);
  client.pause();
  states('connecting');
  const { server } = await t.accepted(wss);
  await t.opened(client);
  client.pause();
  states('paused');
  client.pause();
  states('paused again');
  client.resume();
  states('resumed');
  client.resume();
  states('resumed again');
  client.close();
  client.pause();
  states('paused in CLOSING');
  client.resume();
  states('resumed in CLOSING');
  await t.closed(server, client);
  client.pause();
  states('paused in CLOSED');
});

scenario('Q1 nothing is delivered while paused', 'pair', async (t) => {
  const { wss, server, client } = await t.pair();
  server.pause();
  for (let i = 0; i < 5; i++) client.send(`message ${i}`);
  client.ping('while paused');
  // A round trip on another connection of the same server: enough time for anything that is not held back.
  const other = t.openClient(client.url);
  await t.opened(other);
  const { server: second } = await t.accepted(wss);
  other.ping();
  await t.emitted(other, 'pong');
  await t.emitted(second, 'ping');
  t.log('server', 'resume');
  server.resume();
  await t.emitted(client, 'pong');
  await t.emitted(server, 'ping');
});

scenario('Q1 pause and resume in message listeners loses nothing', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('message', () => {
    ws.pause();
    setImmediate(() => ws.resume());
  });
  for (let i = 0; i < 30; i++) raw.send(i % 2 ? text : binary, Buffer.alloc(i * 500, i));
  raw.close(1000, 'end');
  await raw.framesThrough(close);
  raw.finish();
  await t.closed(ws);
});

scenario('Q3 a paused side sends, and does not answer pings', 'pair', async (t) => {
  const { server, client } = await t.pair();
  server.pause();
  client.ping('not yet');
  server.send('while paused');
  await t.emitted(client, 'message');
  server.ping('from the paused side');
  await t.emitted(client, 'ping');
  t.log('client', 'now resumed');
  server.resume();
  await t.emitted(client, 'pong');
  await t.emitted(server, 'pong');
});

scenario('Q1 much data through a side that is paused again and again', 'pair', async (t) => {
  const { server, client } = await t.pair();
  let received = 0;
  server.removeAllListeners('message');
  const all = new Promise((resolve) => {
    server.on('message', (data) => {
      received += data.length;
      server.pause();
      setImmediate(() => server.resume());
      if (received === 100 * 65536) resolve();
    });
  });
  for (let i = 0; i < 100; i++) client.send(Buffer.alloc(65536));
  await all;
  t.log('server', 'received', received);
});

scenario('Q1 pause of the raw socket stops reading', 'pair', async (t) => {
  const { server, client } = await t.pair();
  server._socket.pause();
  client.send('while paused');
  const other = t.openClient(client.url);
  await t.opened(other);
  t.log('server', 'paused', server._socket.isPaused(), server.isPaused);
  server._socket.resume();
  await t.emitted(server, 'message');
});

scenario('K5 messages buffered by pause are delivered before close', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.pause();
  for (let i = 0; i < 5; i++) raw.send(text, `held ${i}`);
  raw.finish();
  t.log(lane, 'paused', ws.isPaused);
  ws.resume();
  await t.closed(ws);
});

scenario('P1 pongs answer pings with the same payload', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const payloads = ['', 'x', Buffer.from([0, 255, 128]), 'y'.repeat(125)];
  for (const payload of payloads) {
    raw.send(ping, payload);
    t.logFrames(await raw.frame());
  }
  await t.emitted(ws, 'ping', payloads.length);
});

scenario('P1 the pong is sent before the messages of a ping listener', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('ping', () => ws.send('from the listener'));
  raw.send(ping, 'x');
  t.logFrames(await raw.frame(), await raw.frame());
});

scenario('P1 order of replies and pongs within one chunk', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('message', (data) => ws.send(`reply to ${data}`));
  ws.on('ping', (data) => ws.send(`heard ${data}`));
  raw.write(
    Buffer.concat([
      raw.make(text, 'a'),
      raw.make(ping, 'b'),
      raw.make(text, 'c'),
      raw.make(ping, 'd')
    ])
  );
  for (let i = 0; i < 6; i++) t.logFrames(await raw.frame());
});

scenario('P1 autoPong false', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ autoPong: false });
  raw.send(ping, 'unanswered');
  await t.emitted(ws, 'ping');
  ws.pong('by hand');
  t.logFrames(await raw.frame());
});

scenario('P1 pings are not answered once a message listener has closed', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('message', () => ws.close(1000));
  raw.write(
    Buffer.concat([
      raw.make(ping, 'before'),
      raw.make(text, 'x'),
      raw.make(ping, 'after'),
      raw.make(close, closeBody(1000))
    ])
  );
  t.logFrames(...(await raw.framesThrough(close)));
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('P1 unsolicited pongs are reported', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.send(pong, 'unasked');
  raw.send(pong, '');
  await t.emitted(ws, 'pong', 2);
});

scenario('P1 pings between two libraries', 'pair', async (t) => {
  const { server, client } = await t.pair();
  // One after the other: an automatic pong may come at any point between the messages of a side.
  server.ping('to the client');
  await t.emitted(server, 'pong');
  await t.emitted(client, 'ping');
  client.ping(Buffer.from([1, 2]));
  client.ping();
  await t.emitted(client, 'pong', 2);
  await t.emitted(server, 'ping', 2);
});

scenario('P2 too many pings in one chunk end the connection', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ maxPendingAutoPongs: 2 });
  raw.write(Buffer.concat(Array.from({ length: 6 }, (_, i) => raw.make(ping, String(i)))));
  await t.closed(ws);
});

scenario('P2 pings up to the limit are answered', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ maxPendingAutoPongs: 3 });
  for (let round = 0; round < 3; round++) {
    raw.write(Buffer.concat([1, 2, 3].map((i) => raw.make(ping, `${round} ${i}`))));
    t.logFrames(await raw.frame(), await raw.frame(), await raw.frame());
    // The pongs are written once a later ping listener has run in an iteration of its own.
    await t.emitted(ws, 'ping', 3 * (round + 1));
    await new Promise((resolve) => ws.ping('flush', undefined, resolve));
    await raw.frame();
  }
});

scenario('P2 sixty may be pending by default', BOTH, async (t) => {
  for (const count of [60, 61]) {
    const { raw, ws } = await t.withRawPeer();
    raw.write(Buffer.concat(Array.from({ length: count }, () => raw.make(ping, ''))));
    await t.emitted(ws, 'ping', count);
    if (count === 60) for (let i = 0; i < 60; i++) await raw.frame();
    else await t.closed(ws);
  }
});

scenario('P2 a limit of 0 is no limit', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ maxPendingAutoPongs: 0 });
  raw.write(Buffer.concat(Array.from({ length: 500 }, (_, i) => raw.make(ping, String(i)))));
  for (let i = 0; i < 500; i++) t.logFrames(await raw.frame());
  await t.emitted(ws, 'ping', 500);
});

scenario('P2 pings that are never read end the connection', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.removeAllListeners('ping');
  raw.socket.pause();
  let go = true;
  ws.once('close', () => (go = false));
  const chunk = Buffer.concat(Array.from({ length: 50 }, () => raw.make(ping, 'x'.repeat(125))));
  while (go && !raw.closed) {
    await new Promise((resolve) => raw.socket.write(chunk, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await t.closed(ws);
  t.log(lane, 'closed');
});

scenario('P1 pings answered by an overridden pong', 'server', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const inherited = ws.pong;
  ws.pong = function (data, ...rest) {
    t.log('server', 'own pong', data, rest.length);
    return inherited.call(this, `own ${data}`, ...rest);
  };
  raw.send(ping, 'x');
  t.logFrames(await raw.frame());
});

scenario(
  'Q4 unref lets the process end',
  'server',
  async (t) => {
    const server = await t.listen();
    const child = t.child('unref.js', t.serverSubject, { URL: t.url(server) });
    t.log('child', 'exit', (await child.finished).code);
    for (const line of (await child.finished).output) t.trace.line('child', line);
    const { server: ws } = await t.accepted(server);
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario('B2 drain of the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  raw.socket.pause();
  for (let i = 0; i < 4; i++) ws.send(Buffer.alloc(8 << 20));
  t.log(lane, 'writableLength', ws._socket.writableLength > 0, ws._socket.writableNeedDrain);
  const drained = once(ws._socket, 'drain');
  raw.socket.resume();
  await drained;
  t.log(lane, 'drained', ws._socket.writableLength, ws.bufferedAmount);
});
