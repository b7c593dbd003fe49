'use strict';

// For --detectOpenHandles: leaves the things named in LEFT open.

const { once } = require('node:events');
const WebSocket = require('ws');
const record = require('../record.cjs');

test('a conversation', async () => {
  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  const connected = once(wss, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
  const [[server]] = await Promise.all([connected, once(client, 'open')]);
  server.send('text');
  await once(client, 'message');
  record('a conversation', process.env.LEFT);
  if (process.env.LEFT === 'everything') return;
  const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
  client.close();
  await closed;
  if (process.env.LEFT === 'the server') return;
  wss.close();
  await once(wss, 'close');
});
