'use strict';

// Echoes messages of every kind and prints the package in use: `node echo.cjs NAME [DEPENDENT]`. NAME is resolved from here, or
// from the package DEPENDENT.

const { createRequire } = require('node:module');

const [name, dependent] = process.argv.slice(2);
const load = dependent ? createRequire(require.resolve(dependent)) : require;
const { WebSocket, WebSocketServer } = load(name);
const { name: real, version } = load(`${name}/package.json`);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on('listening', () => {
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  const messages = ['Grüße 🦀', Buffer.from([0, 1, 2, 255]), 'x'.repeat(300_000)];
  let count = 0;
  client.on('open', () => {
    for (const message of messages) client.send(message);
  });
  client.on('message', (data, isBinary) => {
    const expected = Buffer.from(messages[count]);
    if (!data.equals(expected) || isBinary !== (count === 1)) throw new Error(`message ${count}`);
    count++;
    if (count === messages.length) client.close(1000, 'done');
  });
  client.on('close', (code) => {
    server.close(() => console.log(`${real} ${version} echoed ${count}, ${code}`));
  });
});
