/** @fastify/websocket: routes, hooks, injectWS over streams of its own, and a real server. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { assertOverridden, require, TIME_LIMIT, WebSocket } from './dependents.mjs';

const createFastify = require('fastify');
const websocket = require('@fastify/websocket');

const BINARY = Buffer.from(Uint8Array.from({ length: 150_000 }, (_, index) => index % 251));

test('gets the subject as ws', TIME_LIMIT, (context) =>
  assertOverridden(context, '@fastify/websocket')
);

describe('@fastify/websocket', () => {
  let fastify;
  let sockets;

  beforeEach(async () => {
    fastify = createFastify();
    sockets = [];
    await fastify.register(websocket, { options: { maxPayload: 1_000_000 } });
    await fastify.register(async (scope) => {
      scope.addHook('preValidation', async (request, reply) => {
        if (request.query.token === 'wrong') await reply.code(401).send('no');
      });
      scope.get('/echo/:name', { websocket: true }, (socket, request) => {
        sockets.push(socket);
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
        socket.send(`hello ${request.params.name}`);
      });
      scope.route({
        method: 'GET',
        url: '/both',
        handler: (_request, reply) => reply.send('http'),
        wsHandler: (socket) => socket.close(4000, 'websocket')
      });
    });
  });

  afterEach(async () => {
    await fastify.close();
  });

  /** Echoes text and bytes, then closes from this side. */
  async function exchange(ws, greeting) {
    assert.equal(String((await greeting)[0]), 'hello world');
    for (const payload of ['Grüße 🦀', BINARY, Buffer.alloc(0), '']) {
      const answer = once(ws, 'message');
      ws.send(payload);
      const [data, isBinary] = await answer;
      assert.equal(isBinary, typeof payload !== 'string');
      assert.ok(Buffer.from(payload).equals(data));
    }
    assert.ok(sockets[0] instanceof WebSocket);
    const closed = [ws, sockets[0]].map((socket) => once(socket, 'close'));
    ws.close(4001, 'enough');
    await closed[0];
    // The socket of injectWS ends but does not close, and the server would wait for it, as with ws.
    if (!sockets[0]._socket.remoteAddress) sockets[0].terminate();
    for (const [code, reason] of await Promise.all(closed)) {
      assert.deepEqual([code, String(reason)], [4001, 'enough']);
    }
  }

  test('injectWS', TIME_LIMIT, async () => {
    await fastify.ready();
    let greeting;
    const ws = await fastify.injectWS(
      '/echo/world',
      {},
      {
        onInit: (socket) => {
          greeting = once(socket, 'message');
        }
      }
    );
    assert.ok(ws instanceof WebSocket);
    await exchange(ws, greeting);
  });

  test('injectWS, refused', TIME_LIMIT, async () => {
    await fastify.ready();
    await assert.rejects(
      fastify.injectWS('/echo/world?token=wrong'),
      /Unexpected server response: 401/
    );
  });

  test('a real server', TIME_LIMIT, async () => {
    const address = await fastify.listen({ host: '127.0.0.1', port: 0 });
    const ws = new WebSocket(`${address.replace('http', 'ws')}/echo/world`);
    await exchange(ws, once(ws, 'message'));
    assert.equal(fastify.websocketServer.clients.size, 0);
  });

  test('a real server, refused', TIME_LIMIT, async () => {
    const address = await fastify.listen({ host: '127.0.0.1', port: 0 });
    for (const [path, status] of [
      ['/echo/world?token=wrong', 401],
      ['/nowhere', 404]
    ]) {
      const ws = new WebSocket(`${address.replace('http', 'ws')}${path}`);
      const [error] = await once(ws, 'error').then(
        (values) => values,
        (reason) => [reason]
      );
      assert.equal(error.message, `Unexpected server response: ${status}`);
    }
  });

  test('one route for HTTP and WebSocket', TIME_LIMIT, async () => {
    const address = await fastify.listen({ host: '127.0.0.1', port: 0 });
    const response = await fetch(`${address}/both`, { headers: { connection: 'close' } });
    assert.equal(await response.text(), 'http');
    const ws = new WebSocket(`${address.replace('http', 'ws')}/both`);
    const [code, reason] = await once(ws, 'close');
    assert.deepEqual([code, String(reason)], [4000, 'websocket']);
  });

  test('a closing server closes its clients', TIME_LIMIT, async () => {
    const address = await fastify.listen({ host: '127.0.0.1', port: 0 });
    const ws = new WebSocket(`${address.replace('http', 'ws')}/echo/world`);
    await once(ws, 'message');
    const closed = once(ws, 'close');
    await fastify.close();
    assert.equal((await closed)[0], 1005);
  });
});
