/** graphql-ws: its server over the ws adapter, and its client with the subject as its WebSocket. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { assertOverridden, close, listen, load, TIME_LIMIT, WebSocket } from './dependents.mjs';

const { buildSchema } = await load('graphql');
const { createClient } = await load('graphql-ws');
const { useServer } = await load('graphql-ws/use/ws');

const schema = buildSchema(`
  type Query { hello(name: String!): String! }
  type Subscription { count(to: Int!): Int!  forever: Int! }
`);

describe('graphql-ws', () => {
  let http;
  let url;
  let wss;
  let disposable;
  let stop;
  /** Resolves when the generator of `forever` is told to end. */
  const stopped = new Promise((resolve) => {
    stop = resolve;
  });

  const rootValue = {
    hello: ({ name }) => `Hello, ${name}!`,
    async *count({ to }) {
      for (let index = 1; index <= to; index++) yield { count: index };
    },
    async *forever() {
      try {
        for (let index = 0; ; index++) {
          // Lets the loop run, so that data is sent and received.
          await setImmediate();
          yield { forever: index };
        }
      } finally {
        stop();
      }
    }
  };

  before(async () => {
    http = await listen();
    url = `ws://127.0.0.1:${http.port}/graphql`;
    wss = new WebSocket.WebSocketServer({ server: http.server, path: '/graphql' });
    disposable = useServer(
      {
        schema,
        roots: { query: rootValue, subscription: rootValue },
        onConnect: ({ connectionParams }) => connectionParams?.token === 'open sesame'
      },
      wss
    );
  });

  after(async () => {
    await disposable?.dispose();
    await close(http.server);
  });

  /** A client that does not reconnect, so that errors surface. */
  const connect = (token, on = {}) =>
    createClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams: { token },
      retryAttempts: 0,
      on
    });

  test('gets the subject as ws', TIME_LIMIT, (context) => {
    assertOverridden(context, 'graphql-ws');
  });

  test('a query and subscriptions over one connection', TIME_LIMIT, async () => {
    let socket;
    const client = connect('open sesame', {
      connected: (ws) => {
        socket = ws;
      }
    });
    const collect = async (query, variables) => {
      const results = [];
      for await (const result of client.iterate({ query, variables })) results.push(result.data);
      return results;
    };
    const count = 'subscription ($to: Int!) { count(to: $to) }';
    const [hello, few, many] = await Promise.all([
      collect('query ($name: String!) { hello(name: $name) }', { name: '🦀'.repeat(30_000) }),
      collect(count, { to: 3 }),
      collect(count, { to: 500 })
    ]);
    assert.deepEqual(hello, [{ hello: `Hello, ${'🦀'.repeat(30_000)}!` }]);
    assert.deepEqual(few, [{ count: 1 }, { count: 2 }, { count: 3 }]);
    assert.deepEqual(many.at(-1), { count: 500 });
    assert.equal(many.length, 500);
    assert.ok(socket instanceof WebSocket);
    assert.equal(socket.protocol, 'graphql-transport-ws');
    await client.dispose();
  });

  test('a subscription that the client ends', TIME_LIMIT, async () => {
    const client = connect('open sesame');
    for await (const { data } of client.iterate({ query: 'subscription { forever }' })) {
      if (data.forever === 5) break;
    }
    await stopped;
    await client.dispose();
  });

  test('a connection, refused', TIME_LIMIT, async () => {
    const client = connect('guess');
    await assert.rejects(
      () => client.iterate({ query: '{ hello(name: "x") }' }).next(),
      (event) => event.code === 4403 && event.reason === 'Forbidden' && event.wasClean
    );
    await client.dispose();
  });

  test('a closing server', TIME_LIMIT, async () => {
    const client = connect('open sesame');
    const results = client.iterate({ query: 'subscription { forever }' });
    await results.next();
    await disposable.dispose();
    disposable = undefined;
    await assert.rejects(
      async () => {
        while (!(await results.next()).done);
      },
      (event) => event.code === 1001 && event.reason === 'Going away'
    );
    await client.dispose();
  });
});
