'use strict';

// An exchange between a server and its clients, for any runtime. Called by require.cjs, import.mjs and workers.cjs, which load
// the package in different ways. The expected output is in ../expected.mjs.

const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { connect } = require('node:net');
const { join } = require('node:path');
// Of no use to programs, and so not exported by the package.
const { threads } = require('./node_modules/ferrows/binding.js');

const MEBIBYTE = 1024 * 1024;
/** Compressible, and not ASCII. */
const LARGE_TEXT = 'ü'.repeat(MEBIBYTE / 2);
const LARGE_BINARY = Buffer.from(Uint8Array.from({ length: MEBIBYTE }, (_, index) => index % 251));

/** The transport of a connection. */
function transportOf(ws) {
  const key = Object.getOwnPropertySymbols(ws).find(
    ({ description }) => description === 'transport'
  );
  const transport = ws[key];
  if (transport.constructor.name === 'StreamTransport') return 'stream';
  return threads() > 0 ? 'io_threads' : 'event_loop';
}

/** The arguments of an event, bytes as text. Unlike once() of Node, not rejected by an 'error' event. */
const event = (emitter, name) =>
  new Promise((resolve) => {
    emitter.once(name, (...values) =>
      resolve(values.map((value) => (Buffer.isBuffer(value) ? String(value) : value)))
    );
  });

/**
 * An echo server, a client, and the server's end of the connection.
 *
 * @param {typeof import('ferrows')} WebSocket
 * @param {object} [options] options of both
 */
async function open(WebSocket, options) {
  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(wss, 'listening');
  wss.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  const connected = once(wss, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}/path?query`, options);
  const opened = once(client, 'open');
  const [server, request] = await connected;
  await opened;
  return { wss, server, client, request };
}

/** @param {import('ferrows').WebSocketServer} wss */
async function shut(wss) {
  const closed = once(wss, 'close');
  wss.close();
  await closed;
}

/** Texts and bytes, small and large, with and without compression; ping, pong; a close by the client. */
async function talk(WebSocket, perMessageDeflate) {
  const { wss, server, client, request } = await open(WebSocket, { perMessageDeflate });
  const result = {
    transports: [transportOf(server), transportOf(client)],
    extensions: client.extensions,
    url: request.url,
    echoes: []
  };
  for (const data of [
    '',
    'text',
    LARGE_TEXT,
    Buffer.alloc(0),
    Buffer.from([0, 255]),
    LARGE_BINARY
  ]) {
    const sent = new Promise((resolve, reject) => {
      client.send(data, (error) => (error ? reject(error) : resolve(undefined)));
    });
    const [echo, isBinary] = await once(client, 'message');
    await sent;
    result.echoes.push([Buffer.from(data).equals(echo), isBinary, echo.length]);
  }
  const pinged = event(server, 'ping');
  client.ping('?');
  result.pong = [await pinged, await event(client, 'pong')];
  const closed = [event(server, 'close'), event(client, 'close')];
  client.close(3001, 'bye');
  result.closed = await Promise.all(closed);
  await shut(wss);
  return result;
}

/** The ways in which one side ends a connection, as seen by both. */
async function part(WebSocket, end, options) {
  const { wss, server, client } = await open(WebSocket, options);
  const errors = [];
  for (const ws of [server, client]) ws.on('error', ({ code }) => errors.push(code));
  const closed = [event(server, 'close'), event(client, 'close')];
  end({ server, client });
  const result = [await Promise.all(closed), errors];
  await shut(wss);
  return result;
}

/** One http.Server for a page, a refused upgrade and an accepted one. */
async function share(WebSocket) {
  const httpServer = http.createServer((_, response) => response.end('page'));
  const wss = new WebSocket.WebSocketServer({ noServer: true });
  httpServer.on('upgrade', (request, socket, head) => {
    if (request.url !== '/ws') return socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    return wss.handleUpgrade(request, socket, head, (ws) => ws.send('welcome'));
  });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const { port } = httpServer.address();
  const [response] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response');
  let page = '';
  for await (const chunk of response) page += chunk;
  const [refusal] = await event(new WebSocket(`ws://127.0.0.1:${port}/none`), 'error');
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const [welcome] = await event(client, 'message');
  client.close();
  await once(client, 'close');
  httpServer.close();
  await once(httpServer, 'close');
  // Connects to a closed port.
  const [{ code }] = await once(connect(port, '127.0.0.1'), 'error');
  return [page, refusal.message, welcome, code];
}

/** The same over TLS. CERTIFICATES is the folder of a key and its self-signed certificate. */
async function encrypt(WebSocket) {
  const read = (name) => readFileSync(join(process.env.CERTIFICATES, name));
  const cert = read('localhost.cert.pem');
  const server = https.createServer({ cert, key: read('localhost.key.pem') });
  const wss = new WebSocket.WebSocketServer({ server });
  wss.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new WebSocket(`wss://127.0.0.1:${server.address().port}`, { ca: cert });
  await once(client, 'open');
  client.send(LARGE_BINARY);
  const [echo] = await once(client, 'message');
  client.close();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
  return echo.equals(LARGE_BINARY);
}

/** @param {typeof import('ferrows')} WebSocket */
module.exports = async function converse(WebSocket) {
  return {
    plain: await talk(WebSocket, false),
    compressed: await talk(WebSocket, { threshold: 0 }),
    serverCloses: await part(WebSocket, ({ server }) => server.close(1001, 'away')),
    terminated: await part(WebSocket, ({ client }) => client.terminate()),
    tooLarge: await part(WebSocket, ({ client }) => client.send('12345'), { maxPayload: 4 }),
    shared: await share(WebSocket),
    encrypted: await encrypt(WebSocket)
  };
};
