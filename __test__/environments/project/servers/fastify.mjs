// @fastify@fastify/websocket, in the style of its own tests: the server sends at once, injectWS, streams, hooks, closing.

import { once } from 'node:events';
import Fastify from 'fastify';
import plugin from '@fastify/websocket';
import { createWebSocketStream, WebSocket } from 'ws';
import record from '../record.cjs';

/** @param {(app: any, seen: unknown[]) => void} routes @param {(url: string, seen: unknown[], app: any) => Promise<void>} talk */
async function serve(name, routes, talk, options) {
  const seen = [];
  const app = Fastify();
  await app.register(plugin, options);
  app.addHook('onRequest', async (request) => seen.push(['onRequest', request.ws, request.url]));
  await app.register(async (inner) => routes(inner, seen));
  await app.listen({ host: '127.0.0.1', port: 0 });
  await talk(`ws://127.0.0.1:${app.server.address().port}`, seen, app);
  await app.close();
  record(name, [seen, app.websocketServer.clients.size]);
}

await serve(
  'the server greets',
  (app, seen) => {
    app.get('/', { websocket: true }, (socket) => {
      socket.on('message', (data) => seen.push(['server', String(data)]));
      socket.once('close', (code) => seen.push(['server closed', code]));
      socket.send('hello client');
    });
  },
  async (url, seen) => {
    for (let time = 0; time < 5; time += 1) {
      const client = new WebSocket(`${url}/`);
      client.on('message', (data) => seen.push(['client', String(data)]));
      const greeted = once(client, 'message');
      await once(client, 'open');
      client.send('hello server');
      await greeted;
      client.close();
      await once(client, 'close');
    }
  }
);

await serve(
  'a stream on each side',
  (app) => {
    app.get('/', { websocket: true }, (socket) => {
      const stream = createWebSocketStream(socket);
      stream.pipe(stream);
    });
  },
  async (url, seen) => {
    const client = new WebSocket(`${url}/`);
    const stream = createWebSocketStream(client, { encoding: 'utf8' });
    for (const text of ['one', 'two', 'three']) {
      stream.write(text);
      seen.push((await once(stream, 'data'))[0]);
    }
    stream.end();
    await once(stream, 'close');
  }
);

await serve(
  'injectWS',
  (app, seen) => {
    app.get('/chat', { websocket: true }, (socket, request) => {
      socket.on('message', (data) => {
        seen.push(['server', String(data), request.headers.cookie]);
        socket.send(`echo ${data}`);
      });
    });
  },
  async (_, seen, app) => {
    const client = await app.injectWS('/chat', { headers: { cookie: 'a=b' } });
    const answered = once(client, 'message');
    client.send('injected');
    seen.push(['client', String((await answered)[0])]);
    client.terminate();
    seen.push(await app.injectWS('/none').catch(({ message }) => message));
  }
);

await serve(
  'the application closes while clients are open',
  (app, seen) => {
    app.get('/', { websocket: true }, (socket) => {
      socket.on('close', (code) => seen.push(['server closed', code]));
      socket.send('open');
    });
  },
  async (url, seen, app) => {
    const clients = [1, 2, 3].map(() => new WebSocket(`${url}/`));
    await Promise.all(clients.map((client) => once(client, 'message')));
    const closed = Promise.all(clients.map((client) => once(client, 'close')));
    await app.close();
    seen.push(
      (await closed).map(([code]) => code),
      app.websocketServer.clients.size
    );
  }
);

await serve(
  'a handler that throws',
  (app) => {
    app.get('/', { websocket: true }, () => {
      throw new Error('by intent');
    });
  },
  async (url, seen) => {
    const client = new WebSocket(`${url}/`);
    const [code, reason] = await once(client, 'close');
    seen.push([code, String(reason)]);
  },
  {
    errorHandler(error, socket) {
      socket.close(4001, error.message);
    }
  }
);
