// y-websocket: two documents stay equal through its server.

import { createRequire } from 'node:module';
import { once } from 'node:events';
import { WebsocketProvider } from 'y-websocket';
import { WebSocket, WebSocketServer } from 'ws';
import * as Y from 'yjs';
import record from '../record.cjs';

const { setupWSConnection } = createRequire(import.meta.url)('y-websocket/bin/utils');
const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
wss.on('connection', (ws, request) => setupWSConnection(ws, request));
await once(wss, 'listening');
const url = `ws://127.0.0.1:${wss.address().port}`;
const options = { WebSocketPolyfill: WebSocket, disableBc: true };
const sides = [1, 2].map(() => {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(url, 'room', doc, options);
  return { doc, provider, text: doc.getText('text') };
});
await Promise.all(
  sides.map(
    ({ provider }) => provider.synced || new Promise((resolve) => provider.once('sync', resolve))
  )
);
const seen = [];
for (const [from, to] of [sides, [...sides].reverse()]) {
  const changed = new Promise((resolve) => to.text.observe(() => resolve(undefined)));
  from.text.insert(0, 'shared ');
  await changed;
  seen.push(String(to.text));
}
for (const { doc, provider } of sides) {
  provider.destroy();
  doc.destroy();
}
for (const ws of wss.clients) ws.terminate();
wss.close();
await once(wss, 'close');
record('y-websocket', seen);
process.exit();
