'use strict';

// In jsdom: the module `require('ws')`, and the WebSocket of the window, which uses the ws that jsdom has loaded outside.

const { once } = require('node:events');
const record = require('../record.cjs');

test('the package for browsers', () => {
  const WebSocket = require('ws');
  let message = 'nothing was thrown';
  try {
    new WebSocket('ws://127.0.0.1:1');
  } catch (error) {
    message = error.message;
  }
  record('the package for browsers', [typeof WebSocket, message.slice(0, 60)]);
});

test('the WebSocket of the window', async () => {
  const { WebSocketServer } = jest.requireActual(
    require('node:path').join(process.cwd(), 'node_modules/ws/index.js')
  );
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  wss.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  const client = new window.WebSocket(`ws://127.0.0.1:${wss.address().port}/`);
  client.binaryType = 'arraybuffer';
  const event = (name) =>
    new Promise((resolve) => client.addEventListener(name, resolve, { once: true }));
  await event('open');
  const seen = [client.readyState, client.url.replace(/\d+\/$/, 'PORT')];
  for (const data of ['text', new Uint8Array([1, 2, 3])]) {
    client.send(data);
    const { data: echoed, isTrusted } = await event('message');
    seen.push([
      typeof echoed,
      echoed.byteLength ?? echoed,
      isTrusted,
      echoed instanceof ArrayBuffer
    ]);
  }
  client.close(3001, 'bye');
  const { code, reason, wasClean } = await event('close');
  record('the WebSocket of the window', [seen, code, reason, wasClean]);
  wss.close();
});
