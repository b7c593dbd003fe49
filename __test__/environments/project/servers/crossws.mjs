// crossws, whose adapter for Node bundles ws: the installed one is passed to it.

import { once } from 'node:events';
import http from 'node:http';
import adapter from 'crossws/adapters/node';
import { WebSocket, WebSocketServer } from 'ws';
import record from '../record.cjs';

const seen = [];
const options = {
  wss: new WebSocketServer({ noServer: true }),
  hooks: {
    upgrade(request) {
      const { pathname } = new URL(request.url);
      seen.push(['upgrade', pathname]);
      if (pathname === '/forbidden') return new Response('no', { status: 403 });
      return { headers: { 'x-crossws': 'yes' } };
    },
    open(peer) {
      seen.push(['open', peer.websocket.readyState]);
      peer.subscribe('all');
      peer.send('welcome');
    },
    message(peer, message) {
      seen.push(['message', message.text()]);
      if (message.text() === 'publish') peer.publish('all', 'published');
      else peer.send(message.text());
    },
    close(_, details) {
      seen.push(['close', details.code, details.reason]);
    }
  }
};
const ws = adapter(options);
const server = http.createServer((_, response) => response.end('page'));
server.on('upgrade', (request, socket, head) => ws.handleUpgrade(request, socket, head));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `ws://127.0.0.1:${server.address().port}`;
const clients = [];
for (let number = 0; number < 2; number += 1) {
  const client = new WebSocket(`${url}/`);
  const greeted = once(client, 'message');
  const [response] = await once(client, 'upgrade');
  seen.push(response.headers['x-crossws'], String((await greeted)[0]));
  clients.push(client);
}
clients[0].send('echo');
seen.push(String((await once(clients[0], 'message'))[0]));
clients[0].send('publish');
seen.push(String((await once(clients[1], 'message'))[0]));
const refused = new WebSocket(`${url}/forbidden`);
seen.push(await new Promise((resolve) => refused.once('error', ({ message }) => resolve(message))));
for (const client of clients) {
  client.close(1000, 'done');
  await once(client, 'close');
}
server.close();
await once(server, 'close');
record('crossws', seen);
