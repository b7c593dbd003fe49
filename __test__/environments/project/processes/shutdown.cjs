'use strict';

// Programs that close all open resources, as shutdown code and test helpers do. WAY is the way to find them. Afterwards the
// process exits by itself.

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const record = require('../record.cjs');
const WebSocket = require('ws');

const { WAY } = process.env;
const OF_TEST = new Set(['PipeWrap', 'TTYWrap', 'Immediate', 'CloseReq']);

/** The kinds of resources that keep the process alive. */
const resources = () =>
  process
    .getActiveResourcesInfo()
    .filter((name) => !OF_TEST.has(name))
    .sort();

/** Active handles of net, without those of standard output. */
const handles = () =>
  process
    ._getActiveHandles()
    .filter(
      (handle) =>
        handle instanceof net.Server || (handle instanceof net.Socket && handle.remotePort)
    );

/** @type {Record<string, (parts: { server: http.Server, wss: any, sockets: Set<net.Socket> }) => void>} */
const WAYS = {
  'active handles'() {
    for (const handle of handles()) {
      if (handle instanceof net.Server) handle.close();
      else handle.destroy();
    }
  },
  'connections of the server'({ server, wss, sockets }) {
    server.close();
    wss.close();
    for (const socket of sockets) socket.destroy();
  },
  'clients of the server'({ server, wss }) {
    server.close();
    wss.close();
    for (const ws of wss.clients) ws.terminate();
  },
  'closed by their peers'({ server, wss }) {
    server.close();
    wss.close();
    for (const ws of wss.clients) ws._socket.destroySoon();
  }
};

(async () => {
  const server = http.createServer();
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const wss = new WebSocket.WebSocketServer({ server });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const seen = [resources()];
  const closes = [];
  for (let number = 0; number < 3; number += 1) {
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
    const connected = once(wss, 'connection');
    await once(client, 'open');
    const [ws] = await connected;
    for (const [name, end] of [
      ['client', client],
      ['server', ws]
    ]) {
      end.on('error', ({ code }) => closes.push([name, code]));
      end.on('close', (code) => closes.push([name, code]));
    }
    client.send('text');
    await once(ws, 'message');
  }
  seen.push(resources());
  const found = handles().map((handle) => (handle instanceof net.Server ? 'server' : 'socket'));
  seen.push(found.sort(), sockets.size);
  WAYS[WAY]({ server, wss, sockets });
  process.on('exit', () => {
    record(WAY, [seen, closes.map(String).sort(), sockets.size, wss.clients.size]);
  });
})();
