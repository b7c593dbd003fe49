'use strict';

// A server whose listener of `listening` throws: it listens nevertheless, and serves a connection before it closes.

const { WebSocketServer } = require(process.env.DIFFERENTIAL_MODULE);
const { WebSocket } = require('ws');

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
  console.log('called back');
  throw new Error('of the callback');
});
wss.on('listening', () => console.log('listening'));
wss.on('connection', (ws) => {
  console.log('connection');
  ws.close(1000);
  ws.on('close', (code) => {
    console.log(`close ${code}`);
    wss.close(() => console.log('closed'));
  });
});

process.on('uncaughtException', ({ message }, origin) => {
  console.log(`${origin}: ${message}, listening ${wss._server.listening}`);
  new WebSocket(`ws://127.0.0.1:${wss.address().port}`).on('error', () => {});
});
process.on('exit', (code) => console.log(`exit ${code}`));
