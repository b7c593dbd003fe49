/** express-ws: WebSocket routes among those of Express, behind its middleware. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import {
  assertOverridden,
  close,
  Inbox,
  listen,
  require,
  TIME_LIMIT,
  WebSocket
} from './dependents.mjs';
import { createServer } from 'node:http';

const express = require('express');
const expressWs = require('express-ws');

describe('express-ws', () => {
  let server;
  let origin;
  let wss;

  before(async () => {
    const app = express();
    const http = createServer(app);
    const { getWss, applyTo } = expressWs(app, http);
    app.use((request, _response, next) => {
      request.user = request.get('x-user');
      next();
    });
    app.get('/page', (_request, response) => response.set('connection', 'close').send('a page'));
    app.ws('/echo/:id', (ws, request) => {
      ws.send(JSON.stringify({ user: request.user, id: request.params.id, q: request.query.q }));
      ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
    });
    const router = express.Router();
    applyTo(router);
    router.ws('/room', (ws) => {
      ws.on('message', (data) => {
        for (const client of wss.clients) client.send(String(data));
      });
      ws.send('welcome');
    });
    app.use('/below', router);
    wss = getWss();
    ({ server } = await listen(http));
    origin = `127.0.0.1:${server.address().port}`;
  });

  after(async () => {
    for (const ws of wss.clients) ws.terminate();
    wss.close();
    await close(server);
  });

  test('gets the subject as ws', TIME_LIMIT, (context) => {
    assertOverridden(context, 'express-ws');
    assert.ok(wss instanceof WebSocket.WebSocketServer);
  });

  test('a route with parameters, behind middleware', TIME_LIMIT, async () => {
    const ws = new WebSocket(`ws://${origin}/echo/7?q=x`, { headers: { 'x-user': 'ann' } });
    const [greeting] = await once(ws, 'message');
    assert.deepEqual(JSON.parse(greeting), { user: 'ann', id: '7', q: 'x' });
    for (const payload of ['text', Buffer.alloc(70_000, 7)]) {
      const answer = once(ws, 'message');
      ws.send(payload);
      const [data, isBinary] = await answer;
      assert.equal(isBinary, typeof payload !== 'string');
      assert.ok(Buffer.from(payload).equals(data));
    }
    const closed = once(ws, 'close');
    ws.close(1000, 'done');
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1000, 'done']);
  });

  test('a router, and a broadcast to all clients', TIME_LIMIT, async () => {
    const members = [];
    for (let index = 0; index < 3; index++) {
      const ws = new WebSocket(`ws://${origin}/below/room`);
      const inbox = new Inbox();
      ws.on('message', (data) => inbox.put(String(data)));
      assert.equal(await inbox.next(), 'welcome');
      members.push({ ws, inbox });
    }
    members[0].ws.send('to all');
    for (const { inbox } of members) assert.equal(await inbox.next(), 'to all');
    const closed = members.map(({ ws }) => once(ws, 'close'));
    for (const { ws } of members) ws.close();
    await Promise.all(closed);
  });

  test('a path without a route is closed, and HTTP goes on', TIME_LIMIT, async () => {
    const ws = new WebSocket(`ws://${origin}/nowhere`);
    const [code] = await once(ws, 'close');
    assert.equal(code, 1005);
    const response = await fetch(`http://${origin}/page`);
    assert.equal(await response.text(), 'a page');
  });
});
