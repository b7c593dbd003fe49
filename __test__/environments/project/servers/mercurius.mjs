// mercurius: GraphQL subscriptions, over a stream at each side, with server and clients in one process.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { createWebSocketStream, WebSocket } from 'ws';
import record from '../record.cjs';

const schema = `
  type Notification { id: ID! message: String }
  type Query { notifications: [Notification] }
  type Mutation { add(message: String): Notification }
  type Subscription { added: Notification }
`;

for (const protocol of ['graphql-ws', 'graphql-transport-ws']) {
  const seen = [];
  let id = 0;
  const app = Fastify();
  await app.register(mercurius, {
    schema,
    resolvers: {
      Query: { notifications: () => [] },
      Mutation: {
        async add(_, { message }, { pubsub }) {
          id += 1;
          const added = { id, message };
          await pubsub.publish({ topic: 'added', payload: { added } });
          return added;
        }
      },
      Subscription: {
        added: { subscribe: (_root, _args, { pubsub }) => pubsub.subscribe('added') }
      }
    },
    subscription: true
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `ws://127.0.0.1:${app.server.address().port}/graphql`;
  const begin = protocol === 'graphql-ws' ? 'start' : 'subscribe';
  const clients = [];
  for (let number = 0; number < 2; number += 1) {
    const ws = new WebSocket(url, protocol);
    const client = createWebSocketStream(ws, { encoding: 'utf8', objectMode: true });
    const messages = new PassThrough({ objectMode: true });
    client.on('data', (chunk) => messages.write(JSON.parse(chunk)));
    // Three writes at once: the outcome of the second depends on the moment of the first one's callback.
    client.write(JSON.stringify({ type: 'connection_init' }));
    client.write(
      JSON.stringify({
        id: '1',
        type: begin,
        payload: { query: 'subscription { added { id message } }' }
      })
    );
    const [acknowledgement] = await once(messages, 'data');
    seen.push([number, acknowledgement.type]);
    clients.push({ client, messages, ws });
  }
  for (const message of ['one', 'two', 'three']) {
    const got = clients.map(({ messages }) => once(messages, 'data'));
    await app.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `mutation { add(message: "${message}") { id } }` })
    });
    seen.push((await Promise.all(got)).map(([value]) => value));
  }
  clients[0].client.write(
    JSON.stringify({ id: '1', type: protocol === 'graphql-ws' ? 'stop' : 'complete' })
  );
  const closed = clients.map(({ ws }) => once(ws, 'close'));
  clients[0].client.end();
  await closed[0];
  await app.close();
  await closed[1];
  record(protocol, seen);
}
