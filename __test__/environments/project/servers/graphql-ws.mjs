// graphql-ws: its server and its client in one process.

import { once } from 'node:events';
import { buildSchema } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import record from '../record.cjs';

const seen = [];
const schema = buildSchema('type Query { hello: String } type Subscription { greetings: String }');
const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/graphql' });
await once(wss, 'listening');
const server = useServer(
  {
    schema,
    roots: {
      query: { hello: () => 'world' },
      subscription: {
        async *greetings() {
          for (const greetings of ['Hi', 'Bonjour', 'Hola', 'Ciao']) yield { greetings };
        }
      }
    },
    onConnect: () => seen.push('connected'),
    onDisconnect: (_, code) => seen.push(['disconnected', code])
  },
  wss
);
const client = createClient({
  url: `ws://127.0.0.1:${wss.address().port}/graphql`,
  webSocketImpl: WebSocket,
  on: { closed: ({ code, wasClean }) => seen.push(['closed', code, wasClean]) }
});
for (const query of ['{ hello }', 'subscription { greetings }', '{ nothing }']) {
  try {
    for await (const value of client.iterate({ query })) seen.push(value);
  } catch (errors) {
    seen.push(['failed', errors.map?.(({ message }) => message) ?? errors.message]);
  }
}
await client.dispose();
await server.dispose();
record('graphql-ws', seen.map((value) => JSON.stringify(value)).sort());
