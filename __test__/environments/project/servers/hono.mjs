// Hono with @hono/node-server and @hono/node-ws.

import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { createNodeWebSocket } from '@hono/node-ws';
import { Hono } from 'hono';
import { WebSocket } from 'ws';
import record from '../record.cjs';

const seen = [];
const app = new Hono();
const { injectWebSocket, upgradeWebSocket, wss } = createNodeWebSocket({ app });
app.get(
  '/ws',
  upgradeWebSocket((context) => ({
    onOpen(_, ws) {
      seen.push(['open', context.req.query('name'), ws.readyState]);
      ws.send('welcome');
    },
    async onMessage(event, ws) {
      const { data } = event;
      const text =
        typeof data === 'string'
          ? data
          : Buffer.from(data instanceof Blob ? await data.arrayBuffer() : data).toString();
      seen.push(['message', typeof data, Object.prototype.toString.call(data), text]);
      ws.send(data);
    },
    onClose(event) {
      seen.push(['close', event.code, event.reason]);
    }
  }))
);
app.get('/', (context) => context.text('page'));
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
injectWebSocket(server);
await once(server, 'listening');
const base = `127.0.0.1:${server.address().port}`;
for (const name of ['one', 'two']) {
  const client = new WebSocket(`ws://${base}/ws?name=${name}`);
  const [welcome] = await once(client, 'message');
  seen.push(String(welcome));
  for (const data of ['text', Buffer.from('bytes')]) {
    client.send(data);
    const [echo, isBinary] = await once(client, 'message');
    seen.push([String(echo), isBinary]);
  }
  client.close(1000, name);
  await once(client, 'close');
}
const refused = new WebSocket(`ws://${base}/none`);
seen.push(await new Promise((resolve) => refused.once('error', ({ message }) => resolve(message))));
seen.push(await (await fetch(`http://${base}/`)).text());
server.close();
server.closeAllConnections();
await once(server, 'close');
record('hono', [seen, wss.clients.size]);
