'use strict';

// A stream without an 'error' listener over a refused connection: prints the uncaught exception.

const net = require('node:net');
const WebSocket = require(process.env.DIFFERENTIAL_MODULE);

const server = net.createServer((socket) => {
  socket.on('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
});

process.on('uncaughtException', (err, origin) => {
  console.log(`${origin} ${err.message}`);
  server.close();
});

server.listen(0, '127.0.0.1', () => {
  const ws = new WebSocket(`ws://127.0.0.1:${server.address().port}`, { perMessageDeflate: false });
  WebSocket.createWebSocketStream(ws);
});
