'use strict';

// Servers and peers of the tests of options that ws does not have. The transport is that of FERROWS_TRANSPORT.

const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const { join } = require('node:path');
const tls = require('node:tls');
const theirs = require('ws');

const { WebSocketServer } = require('ferrows');

/** @typedef {import('node:test').TestContext} TestContext */

/** @param {string} name */
const fixture = (name) => readFileSync(join(__dirname, '../differential/fixtures', name));
const CREDENTIALS = {
  key: fixture('localhost.key.pem'),
  cert: fixture('localhost.cert.pem')
};

/** The ways in which a WebSocketServer gets its requests. */
const MODES = ['port', 'server', 'tls', 'noServer'];

/**
 * Starts a WebSocketServer.
 *
 * @param {TestContext} context
 * @param {string} mode one of MODES
 * @param {any} options
 * @param {any} [Class] WebSocketServer of ws or ferrows
 */
async function startServer(context, mode, options, Class = WebSocketServer) {
  if (mode === 'port') {
    const wss = new Class({ host: '127.0.0.1', port: 0, ...options });
    context.after(() => wss.close());
    await once(wss, 'listening');
    return { wss, ...addresses(mode, wss._server) };
  }
  const server = mode === 'tls' ? https.createServer(CREDENTIALS) : http.createServer();
  const wss = new Class(
    mode === 'noServer' ? { noServer: true, ...options } : { server, ...options }
  );
  if (mode === 'noServer') {
    server.on('upgrade', (req, socket, head) =>
      wss.handleUpgrade(req, socket, head, (/** @type {any} */ ws) =>
        wss.emit('connection', ws, req)
      )
    );
  }
  context.after(() => {
    wss.close();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { wss, ...addresses(mode, server) };
}

/** @param {string} mode @param {any} server */
function addresses(mode, server) {
  const { port } = server.address();
  const isTls = mode === 'tls';
  return {
    server,
    port,
    host: `127.0.0.1:${port}`,
    url: `${isTls ? 'wss' : 'ws'}://127.0.0.1:${port}`,
    /** @param {() => void} onConnect @returns {net.Socket} */
    connectRaw: (onConnect) =>
      isTls
        ? tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, onConnect)
        : net.connect(port, '127.0.0.1', onConnect)
  };
}

/**
 * A client of ws that is ended with the test.
 *
 * @param {TestContext} context
 * @param {string} url
 * @param {any} [options]
 */
function connect(context, url, options) {
  const client = new theirs.WebSocket(url, { rejectUnauthorized: false, ...options });
  // The end of a test may abort a handshake.
  client.on('error', () => {});
  context.after(() => client.terminate());
  return client;
}

/** @param {string} [path] @param {Record<string, string>} [fields] @returns {string} a request to upgrade */
function request(path = '/', fields = {}) {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...fields
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/**
 * Sends a request, and returns all that the server answers until it closes.
 *
 * @param {{ connectRaw(onConnect: () => void): net.Socket }} server
 * @param {string} bytes
 * @returns {Promise<string>}
 */
async function answerTo(server, bytes) {
  const socket = server.connectRaw(() => socket.write(bytes));
  socket.setEncoding('latin1');
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

/** @param {number} opcode @param {string | Buffer} payload at most 125 bytes @returns {Buffer} a frame of a client */
function frame(opcode, payload) {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}

/**
 * Runs the event loop while messages travel between a server and a client of ws: bytes that another connection of this process may
 * read have been read on return.
 *
 * @param {TestContext} context
 */
async function runLoop(context) {
  const wss = new theirs.WebSocketServer({ host: '127.0.0.1', port: 0 });
  context.after(() => wss.close());
  wss.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
  await once(wss, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (wss.address());
  const client = connect(context, `ws://127.0.0.1:${port}`);
  await once(client, 'open');
  for (let round = 0; round < 20; round++) {
    client.send('round');
    await once(client, 'message');
  }
  client.terminate();
}

module.exports = { MODES, answerTo, connect, frame, request, runLoop, startServer };
