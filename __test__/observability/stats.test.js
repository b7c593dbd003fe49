'use strict';

// WebSocketServer.stats(): every figure is compared with a count by a client of ws. Channels are in channels.test.js.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const theirs = require('ws');
const transportOf = require('../transport-of.cjs');

const { WebSocket, WebSocketServer } = require('ferrows');

const NOTHING = {
  connections: 0,
  connectionsOpened: 0,
  transports: { event_loop: 0, io_threads: 0, stream: 0 },
  messagesReceived: 0,
  messagesSent: 0,
  bytesReceived: 0,
  bytesSent: 0,
  queuedBytes: 0
};

/**
 * A server and a connected client of ws.
 *
 * @param {test.TestContext} context
 * @param {any} [options]
 */
async function connect(context, options) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  context.after(() => server.close());
  let answer = 0;
  server.on('headers', (lines) => {
    answer = `${lines.join('\r\n')}\r\n\r\n`.length;
  });
  await once(server, 'listening');
  assert.deepEqual(server.stats(), NOTHING);

  const accepted = once(server, 'connection');
  const client = new theirs.WebSocket(`ws://127.0.0.1:${server.address().port}`);
  const opened = once(client, 'open');
  context.after(() => client.terminate());
  const [socket] = await accepted;
  await opened;
  const request = client._socket.bytesWritten;
  return {
    server,
    socket,
    client,
    /** The client's counts since the handshake. */
    counted: () => ({
      bytesReceived: client._socket.bytesWritten - request,
      bytesSent: client._socket.bytesRead - answer
    })
  };
}

/**
 * Settles after `count` messages.
 *
 * @param {any} websocket
 * @param {number} count
 */
function messages(websocket, count) {
  return new Promise((resolve) => {
    websocket.on('message', () => {
      if (--count === 0) resolve(undefined);
    });
  });
}

for (const options of [{}, { clientTracking: false }, { perMessageDeflate: { threshold: 0 } }]) {
  test(`messages and bytes, with ${JSON.stringify(options)}`, async (context) => {
    const { server, socket, client, counted } = await connect(context, options);

    const received = messages(socket, 3);
    client.send('one');
    client.send(Buffer.alloc(200_000, 7));
    client.send('a ', { fin: false });
    client.send('message', { fin: false });
    client.send(' of fragments', { fin: true });
    const sent = messages(client, 4);
    socket.send('two');
    socket.send('fragments ', { fin: false });
    socket.send('again', { fin: true });
    socket._sender.sendFrame(theirs.Sender.frame(Buffer.from('framed'), { fin: true, opcode: 1 }));
    // Large enough to be compressed on another thread.
    socket.send('x'.repeat(300_000));
    await Promise.all([received, sent]);
    // A pong follows all sent messages, and is not a message.
    const pong = once(client, 'pong');
    client.ping();
    await pong;

    const open = server.stats();
    assert.deepEqual(open.transports, {
      ...NOTHING.transports,
      [transportOf(socket).kind]: 1
    });
    const expected = {
      ...NOTHING,
      connections: 1,
      connectionsOpened: 1,
      messagesReceived: 3,
      messagesSent: 4,
      ...counted(),
      transports: open.transports
    };
    assert.deepEqual(open, expected);

    const closed = once(socket, 'close');
    let final;
    client.on('close', () => {
      final = counted();
    });
    const { _socket } = client;
    socket.close();
    await closed;
    if (!final) await once(_socket, 'close');
    const after = server.stats();
    assert.deepEqual(after, {
      ...expected,
      connections: 0,
      transports: NOTHING.transports,
      // The closing handshake: an empty frame in each direction, the client's masked.
      bytesReceived: expected.bytesReceived + 6,
      bytesSent: expected.bytesSent + 2
    });
  });
}

test('transport is the requested one', async (context) => {
  const { server } = await connect(context, { transport: 'io_threads' });
  const pinned = process.env.FERROWS_TRANSPORT ?? 'io_threads';
  const { transports } = server.stats();
  assert.equal(transports.stream + transports.event_loop + transports.io_threads, 1);
  if (pinned !== 'auto') assert.equal(transports[pinned], 1);
});

test('data that a slow peer has not read counts as queued', async (context) => {
  const { server, socket, client } = await connect(context);
  client._socket.pause();
  const chunk = Buffer.alloc(1024 * 1024);
  const written = new Promise((resolve) => {
    for (let count = 0; count < 15; count++) socket.send(chunk);
    socket.send(chunk, resolve);
  });
  assert.ok(socket.bufferedAmount > 0);
  const { queuedBytes, messagesSent } = server.stats();
  assert.equal(messagesSent, 16);
  assert.ok(queuedBytes > 0 && queuedBytes <= 16 * (chunk.length + 10), String(queuedBytes));
  client._socket.resume();
  await written;
  assert.equal(server.stats().queuedBytes, 0);
});

test('a WebSocketServer on a shared http.Server counts its own connections', async (context) => {
  const { server, socket } = await connect(context);
  const other = new WebSocketServer({ noServer: true });
  other.clients.add(socket);
  assert.deepEqual(other.stats(), NOTHING);
  assert.equal(server.stats().connections, 1);
});

test('clients do not count', async (context) => {
  const { server } = await connect(context);
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  await once(client, 'open');
  assert.equal(server.stats().connectionsOpened, 2);
  const closed = once(client, 'close');
  client.terminate();
  await closed;
});
