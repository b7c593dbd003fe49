'use strict';

// Channels of node:diagnostics_channel: their messages, order and time. Figures are in stats.test.js.

const assert = require('node:assert/strict');
const diagnostics = require('node:diagnostics_channel');
const { once } = require('node:events');
const net = require('node:net');
const test = require('node:test');
const theirs = require('ws');

const { WebSocket, WebSocketServer } = require('ferrows');

const CHANNELS = ['open', 'close', 'error'];

/**
 * Records messages of the channels until the test is over.
 *
 * @param {test.TestContext} context
 * @param {any[]} log
 */
function listen(context, log) {
  for (const name of CHANNELS) {
    const channel = `ferrows:connection:${name}`;
    const note = (message) => log.push({ name, ...message });
    diagnostics.subscribe(channel, note);
    context.after(() => diagnostics.unsubscribe(channel, note));
  }
}

/** Settles at `close`, regardless of other events. @param {any} websocket */
const closing = (websocket) => new Promise((resolve) => websocket.once('close', resolve));

/** @param {test.TestContext} context */
async function serve(context) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  context.after(() => server.close());
  await once(server, 'listening');
  return { server, url: `ws://127.0.0.1:${server.address().port}` };
}

test('an accepted connection opens before `connection` and closes before `close`', async (context) => {
  const log = [];
  listen(context, log);
  const { server, url } = await serve(context);
  server.on('connection', (websocket, request) => {
    log.push({ name: 'connection', websocket, request });
    websocket.on('close', () => log.push({ name: 'event close' }));
  });
  const accepted = once(server, 'connection');
  const client = new theirs.WebSocket(url);
  await once(client, 'open');
  const [websocket] = await accepted;
  const closed = closing(websocket);
  client.close(4001, 'over');
  await closed;

  assert.deepEqual(
    log.map(({ name }) => name),
    ['open', 'connection', 'close', 'event close']
  );
  const [open, connection, close] = log;
  assert.equal(open.websocket, websocket);
  assert.equal(open.server, server);
  assert.equal(open.request, connection.request);
  assert.equal(close.websocket, websocket);
  assert.equal(close.code, 4001);
  assert.equal(String(close.reason), 'over');
});

test('a client opens before `open`, and has neither server nor request', async (context) => {
  const theirServer = new theirs.WebSocketServer({ host: '127.0.0.1', port: 0 });
  context.after(() => theirServer.close());
  await once(theirServer, 'listening');
  const log = [];
  listen(context, log);
  const client = new WebSocket(`ws://127.0.0.1:${theirServer.address().port}`);
  client.on('open', () => {
    log.push({ name: 'event open' });
    client.terminate();
  });
  await closing(client);
  assert.deepEqual(
    log.map(({ name }) => name),
    ['open', 'event open', 'close']
  );
  assert.equal(log[0].websocket, client);
  assert.equal(log[0].server, undefined);
  assert.equal(log[0].request, undefined);
  assert.equal(log[2].code, 1006);
});

test('a failed handshake publishes error, and no close', async (context) => {
  const server = net.createServer((socket) => {
    socket.resume().end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const log = [];
  listen(context, log);
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  const errors = [];
  client.on('error', (error) => errors.push(error));
  await closing(client);
  assert.equal(errors.length, 1);
  assert.deepEqual(log, [{ name: 'error', websocket: client, error: errors[0] }]);
});

test('a protocol error publishes error, then close', async (context) => {
  const { server, url } = await serve(context);
  const log = [];
  const accepted = once(server, 'connection');
  const client = new theirs.WebSocket(url);
  await once(client, 'open');
  client.on('error', () => {});
  const [websocket] = await accepted;
  listen(context, log);
  const errors = [];
  websocket.on('error', (error) => errors.push(error));
  const closed = closing(websocket);
  // A text frame with RSV2.
  client._socket.write(Buffer.from([0xa1, 0x80, 0, 0, 0, 0]));
  await closed;
  assert.deepEqual(
    log.map(({ name }) => name),
    ['error', 'close']
  );
  assert.equal(log[0].error, errors[0]);
  assert.equal(log[0].error.code, 'WS_ERR_UNEXPECTED_RSV_2_3');
});
