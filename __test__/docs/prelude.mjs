// The globals of a code fragment in a document, loaded by programs.test.mjs with `node --import`: the exports of the library, a
// listening server `wss`, its address `url`, and an open client `ws`. A fragment may declare variables of these names. finish(),
// called at the end of a fragment, connects and closes another client, then exits.
import http from 'node:http';
import { once } from 'node:events';

import * as ferrows from 'ferrows';

const { WebSocket, WebSocketServer } = ferrows;

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
await once(wss, 'listening');
const url = `ws://127.0.0.1:${wss.address().port}`;
const ws = new WebSocket(url);
await once(ws, 'open');

/** @param {import('ferrows').WebSocket} client */
async function end(client) {
  if (client.readyState === WebSocket.CLOSED) return;
  client.close();
  await once(client, 'close');
}

async function finish() {
  // The fragment may have closed the server.
  if (wss.address() !== null) {
    const client = new WebSocket(url);
    await once(client, 'open');
    client.send('a message');
    client.ping();
    await once(client, 'pong');
    await end(client);
  }
  await end(ws);
  // The fragment may have started timers and servers.
  process.exit();
}

Object.assign(globalThis, ferrows, { http, wss, url, ws, finish });
