'use strict';

// The program that PM2 runs as a cluster: an echo server that closes its clients on shutdown.

const WebSocket = require('ws');

const wss = new WebSocket.WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.env.APP_PORT)
});
wss.on('connection', (ws) => {
  ws.send(`generation ${process.env.pm_id} ${process.pid}`);
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});
wss.on('listening', () => process.send('ready'));
process.on('SIGINT', () => {
  for (const ws of wss.clients) ws.close(1001, 'reloading');
  wss.close(() => process.exit(0));
});
