// The live example: a page, a chat and the server's own figures over one WebSocket each. Run it with
// `node examples/live/server.mjs`; HOST and PORT say where (127.0.0.1:8080), WS_PACKAGE=ws runs it on ws to compare.
// Here: the servers, the heartbeat and the shutdown. What is said is in room.mjs, what is measured in counters.mjs.
import http from 'node:http';
import { createRequire } from 'node:module';

import { Counters } from './counters.mjs';
import { serveFiles } from './files.mjs';
import { MAX_PAYLOAD, Room } from './room.mjs';

const { WebSocket, WebSocketServer } = createRequire(import.meta.url)(
  process.env.WS_PACKAGE ?? '../../index.js'
);

const HEARTBEAT_MS = 10_000;
/** How long clients may take to answer our close frame at shutdown. */
const GOODBYE_MS = 2_000;
/** A client that does not read is let go once this much waits for it. */
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

/** Sends to one client, unless it is leaving or does not keep up. */
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
    // Binary messages are the page's stopwatch: they go back as they came.
    if (isBinary) {
      send(ws, data);
      return;
    }
    const { reply, line } = room.hear(member, data.toString());
    if (reply !== undefined) send(ws, JSON.stringify(reply));
    if (line !== undefined) broadcast(JSON.stringify({ type: 'line', line }));
  });
  // A broken or oversized frame: ws closes the connection with the right code by itself.
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

/** Says goodbye to everyone; the process ends by itself when the last connection has. */
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

// Once: a second signal ends the process the hard way.
process.once('SIGINT', shutdown);
process.once('SIGTERM', shutdown);

function fail(err) {
  process.stderr.write(`${err.message}\n`);
  process.exit(1);
}

// The WebSocketServer passes the http.Server's errors on.
wss.on('error', fail);
try {
  server.listen(listenOptions(), () => {
    // What starting up cost is no figure of the running server.
    counters.read();
    const { address, family, port } = server.address();
    const host = family === 'IPv6' ? `[${address}]` : address;
    process.stdout.write(`ferrows live example: http://${host}:${port}/\n`);
  });
} catch (err) {
  fail(err);
}
