'use strict';

// createWebSocketStream: statements D1 to D8.

const { Readable } = require('node:stream');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');

/** A pair with a stream over the client, whose events are recorded. */
async function pairWithStream(t, options, pairOptions) {
  const both = await t.pair(pairOptions);
  return { ...both, stream: streamOver(t, both.client, options) };
}

const streamEnds = new WeakMap();

function streamOver(t, ws, options) {
  const stream = t.clientSubject.lib.createWebSocketStream(ws, options);
  for (const event of ['end', 'finish', 'close', 'error']) {
    stream.on(event, (...args) => t.log('stream', event, ...args));
  }
  streamEnds.set(stream, {
    end: new Promise((resolve) => stream.once('end', resolve)),
    close: new Promise((resolve) => stream.once('close', resolve))
  });
  t.defer(() => stream.destroy());
  return stream;
}

/** Resolves when the stream has emitted 'close', even if that was earlier. */
const closed = (stream) => streamEnds.get(stream).close;

/** Ends the writable side after the readable side has ended, and waits for 'close'. */
async function endAndClose(stream) {
  await streamEnds.get(stream).end;
  stream.end();
  await closed(stream);
}

scenario('D1 options', 'pair', async (t) => {
  const { stream } = await pairWithStream(t, {
    autoDestroy: true,
    emitClose: true,
    objectMode: true,
    writableObjectMode: true,
    highWaterMark: 100,
    encoding: 'utf8'
  });
  t.log(
    'stream',
    'options',
    stream.readableObjectMode,
    stream.writableObjectMode,
    stream.readableHighWaterMark,
    stream.writableHighWaterMark,
    stream.readableEncoding,
    stream.allowHalfOpen,
    stream.constructor.name
  );
});

scenario('D2 one write is one message', 'pair', async (t) => {
  const { server, client, stream } = await pairWithStream(t);
  stream.write('text');
  stream.write(Buffer.from('bytes'));
  stream.write(new Uint8Array([1, 2]));
  stream.write('latin', 'latin1');
  stream.end('last');
  await t.closed(server, client);
  stream.resume();
  await closed(stream);
});

scenario('D2 decodeStrings false', 'pair', async (t) => {
  const { server, stream } = await pairWithStream(t, { decodeStrings: false });
  stream.write('text');
  stream.write(Buffer.from('bytes'));
  await t.emitted(server, 'message', 2);
});

for (const readableObjectMode of [false, true]) {
  scenario(`D3 reading, readableObjectMode ${readableObjectMode}`, 'pair', async (t) => {
    const { server, client, stream } = await pairWithStream(t, { readableObjectMode });
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    server.send('text');
    server.send(Buffer.from('bytes'));
    server.send('');
    server.send('last');
    server.close(1000);
    await endAndClose(stream);
    await t.closed(server, client);
    if (readableObjectMode) t.log('stream', 'data', chunks);
    else t.log('stream', 'data', Buffer.concat(chunks));
  });
}

scenario('D3 with an encoding', 'pair', async (t) => {
  const { server, client, stream } = await pairWithStream(t, { encoding: 'utf8' });
  let all = '';
  stream.on('data', (chunk) => (all += chunk));
  server.send(Buffer.from([0xe2]));
  server.send(Buffer.from([0x82, 0xac]));
  server.send('x');
  server.close();
  await endAndClose(stream);
  await t.closed(server, client);
  t.log('stream', 'data', all);
});

scenario('D4 a reader that does not read pauses the socket', 'pair', async (t) => {
  const { server, client, stream } = await pairWithStream(t, { readableHighWaterMark: 1000 });
  const paused = new Promise((resolve) => {
    client.on('message', () => client.isPaused && resolve());
  });
  server.send(Buffer.alloc(500, 1));
  server.send(Buffer.alloc(600, 2));
  await paused;
  t.log('stream', 'paused', client.isPaused, stream.readableLength);
  stream.resume();
  server.send('after');
  await t.emitted(client, 'message', 3);
  t.log('stream', 'resumed', client.isPaused);
});

scenario('D4 much data in both directions', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (const ws of [server, client]) ws.removeAllListeners('message');
  const stream = streamOver(t, client);
  const echo = t.serverSubject.lib.createWebSocketStream(server);
  echo.pipe(echo);
  const chunks = [];
  let received = 0;
  stream.on('data', (chunk) => {
    chunks.push(chunk);
    received += chunk.length;
    if (received === 100 * 20000) stream.end();
  });
  Readable.from(Array.from({ length: 100 }, (_, i) => Buffer.alloc(20000, i))).pipe(stream, {
    end: false
  });
  await closed(stream);
  await t.closed(server, client);
  t.log('stream', 'same', Buffer.concat(chunks));
});

scenario('D4 write callbacks', 'pair', async (t) => {
  const { server, stream } = await pairWithStream(t);
  for (const name of ['a', 'b', 'c']) stream.write(name, (err) => t.log('stream', name, err));
  await t.emitted(server, 'message', 3);
  await new Promise((resolve) => stream.write('d', resolve));
  await t.emitted(server, 'message', 4);
});

scenario('D5 write and end before open', 'pair', async (t) => {
  const wss = await t.listen();
  const client = t.openClient(t.url(wss));
  const stream = streamOver(t, client);
  stream.write('early', () => t.log('stream', 'early written'));
  stream.end('last');
  stream.resume();
  const { server } = await t.accepted(wss);
  await t.closed(server, client);
  await closed(stream);
});

scenario('D5 end', 'pair', async (t) => {
  const { server, client, stream } = await pairWithStream(t);
  stream.end(() => t.log('stream', 'end called back'));
  t.trace.event('client', 'state', [], client);
  stream.resume();
  await t.closed(server, client);
  await closed(stream);
});

scenario('D5 the peer closes', 'pair', async (t) => {
  const { server, client, stream } = await pairWithStream(t);
  stream.resume();
  server.close(1001, 'bye');
  await t.closed(server, client);
  await endAndClose(stream);
  t.log('stream', 'destroyed', stream.destroyed);
});

scenario('D5 the peer vanishes', 'pair', async (t) => {
  const { server, client, stream } = await pairWithStream(t);
  stream.resume();
  server.terminate();
  await t.closed(server, client);
  await endAndClose(stream);
});

scenario(
  'D6 an error of the WebSocket destroys the stream without terminating',
  'pair',
  async (t) => {
    const { server, client, stream } = await pairWithStream(t, {}, { client: { maxPayload: 3 } });
    server.send('four');
    await t.closed(server, client);
    await closed(stream);
  }
);

scenario('D6 destroy without and with an error', 'pair', async (t) => {
  for (const err of [undefined, new Error('mine')]) {
    const { server, client, stream } = await pairWithStream(t);
    stream.destroy(err);
    t.trace.event('client', 'state', [], client);
    await t.closed(server, client);
    await closed(stream);
  }
});

scenario('D6 destroy while connecting', 'client', async (t) => {
  for (const err of [undefined, new Error('mine')]) {
    const listening = await t.rawServer();
    const client = t.openClient(listening.url);
    const stream = streamOver(t, client);
    stream.destroy(err);
    await t.closed(client);
    await closed(stream);
  }
});

scenario('D6 a connection that fails', 'client', async (t) => {
  const server = await t.http((request, response) => response.writeHead(500).end());
  const client = t.openClient(t.url(server));
  const stream = streamOver(t, client);
  stream.write('never sent');
  await t.closed(client);
  await closed(stream);
});

scenario('D6 destroy after the socket was closed', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.close();
  await t.closed(server, client);
  const stream = streamOver(t, client);
  t.attempt('stream', 'write', () => stream.write('x'));
  stream.destroy();
  await closed(stream);
});

scenario(
  'D7 without an error listener the stream throws',
  'client',
  async (t) => {
    const child = t.child('stream-error.js', t.clientSubject);
    const { code, output } = await child.finished;
    t.log('child', 'exit', code);
    for (const line of output) t.trace.line('child', line);
  },
  { isWaiting: true }
);

scenario('D3 async iteration of a stream with a raw peer', 'client', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const stream = streamOver(t, ws, { readableObjectMode: true });
  raw.send(OPCODE.text, 'one');
  raw.send(OPCODE.binary, 'two');
  raw.close(1000);
  raw.finish();
  for await (const chunk of stream) t.log('stream', 'chunk', chunk);
  await t.closed(ws);
});

scenario('D8 a stream whose socket is closed by the peer while writing', 'pair', async (t) => {
  const { server, client, stream } = await pairWithStream(t);
  server.on('message', () => server.terminate());
  stream.write('x');
  await t.closed(server, client);
  await new Promise((resolve) => {
    stream.write('y', (err) => {
      t.log('stream', 'written', err);
      resolve();
    });
  });
});
