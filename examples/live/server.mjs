// The live example: a page with a chat and figures of the server, over one WebSocket per client.
//
//   node examples/live/server.mjs      HOST and PORT set the address (127.0.0.1:8080), WS_PACKAGE=ws runs it on ws
//
// This file has the servers, the heartbeat and the shutdown; room.mjs has the chat, counters.mjs the measurements.
import http from 'node:http';
import { createRequire } from 'node:module';

import { Counters } from './counters.mjs';
import { serveFiles } from './files.mjs';
import { MAX_PAYLOAD, Room } from './room.mjs';

const { WebSocket, WebSocketServer } = createRequire(import.meta.url)(
  process.env.WS_PACKAGE ?? '../../index.js'
);

const HEARTBEAT_MS = 10_000;
/** Time for clients to answer the close frame at shutdown. */
const GOODBYE_MS = 2_000;
/** Maximum of unsent bytes of a client; a client that does not read is disconnected. */
const MAX_BUFFERED = 1024 * 1024;

function listenOptions() {
  const { HOST: host = '127.0.0.1', PORT: text = '8080' } = process.env;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535 || text.trim() === '') {
    throw new Error(`PORT must be a number from 0 to 65535, not '${text}'.`);
  }
  return { host, port };
}

const server = http.createServer(serveFiles(new URL('page/', import.meta.url)));
const wss = new WebSocketServer({ server, path: '/live', maxPayload: MAX_PAYLOAD });
const counters = new Counters();
const room = new Room();

/** Sends to a client, if it is open and reads fast enough. */
function send(ws, data) {
  if (ws.readyState !== WebSocket.OPEN) return;
  if (ws.bufferedAmount > MAX_BUFFERED) {
    ws.terminate();
    return;
  }
  counters.count();
  ws.send(data);
}

const broadcast = (text) => {
  for (const ws of wss.clients) send(ws, text);
};

wss.on('connection', (ws) => {
  const member = room.enter();
  ws.isAlive = true;

  ws.on('pong', () => {
    ws.isAlive = true;
  });
  ws.on('message', (data, isBinary) => {
    counters.count();
    // The page measures the round-trip time by binary messages, which are echoed.
    if (isBinary) {
      send(ws, data);
      return;
    }
    const { reply, line } = room.handle(member, data.toString());
    if (reply !== undefined) send(ws, JSON.stringify(reply));
    if (line !== undefined) broadcast(JSON.stringify({ type: 'line', line }));
  });
  // An invalid or oversized frame. The connection is closed with the appropriate code.
  ws.on('error', (err) => process.stderr.write(`client: ${err.message}\n`));
});

const heartbeat = setInterval(() => {
  for (const ws of wss.clients) {
    if (ws.isAlive) {
      ws.isAlive = false;
      ws.ping();
    } else {
      ws.terminate();
    }
  }
}, HEARTBEAT_MS);

const ticker = setInterval(() => {
  const values = { connections: wss.clients.size, ...counters.read() };
  broadcast(JSON.stringify({ type: 'counters', values }));
}, 1000);

/** Closes all connections. The process ends when the last one has closed. */
function shutdown() {
  clearInterval(heartbeat);
  clearInterval(ticker);
  counters.stop();
  server.close();
  wss.close();
  for (const ws of wss.clients) ws.close(1001, 'The server is shutting down');
  setTimeout(() => {
    for (const ws of wss.clients) ws.terminate();
    server.closeAllConnections();
  }, GOODBYE_MS).unref();
}

// Once: a second signal kills the process.
process.once('SIGINT', shutdown);
process.once('SIGTERM', shutdown);

function fail(err) {
  process.stderr.write(`${err.message} (PORT sets another port)\n`);
  process.exit(1);
}

// The WebSocketServer emits the errors of its http.Server.
wss.on('error', fail);
try {
  server.listen(listenOptions(), () => {
    // Resets the figures, to exclude the start.
    counters.read();
    const { address, family, port } = server.address();
    const host = family === 'IPv6' ? `[${address}]` : address;
    process.stdout.write(`ferrows live example: http://${host}:${port}/\n`);
  });
} catch (err) {
  fail(err);
}
