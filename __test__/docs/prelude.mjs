// What a fragment of a program in a document finds when it is run (by programs.test.mjs, with `node --import`): the
// library's names, a server `wss` that listens, its address `url`, and `ws`, a client that is open. They are global, so
// that a fragment may declare its own. finish(), called at a fragment's end, lets another client come and go, and ends.
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
  // A fragment may have closed the server.
  if (wss.address() !== null) {
    const client = new WebSocket(url);
    await once(client, 'open');
    client.send('a message');
    client.ping();
    await once(client, 'pong');
    await end(client);
  }
  await end(ws);
  // It may have timers and servers of its own, too.
  process.exit();
}

Object.assign(globalThis, ferrows, { http, wss, url, ws, finish });
