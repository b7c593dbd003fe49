'use strict';

// Servers and clients that are dropped, terminated and closed while data is in flight in both directions, with garbage
// collection in between: the process must not crash, must observe every end and must end by itself.

const v8 = require('node:v8');
const vm = require('node:vm');
const WebSocket = require(process.env.DIFFERENTIAL_MODULE);

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

const COUNT = 60;
const ends = [
  (ws) => ws.terminate(),
  (ws) => ws.close(1000, 'bye'),
  (ws) => ws._socket.destroy(),
  (ws) => ws._socket.end(),
  (ws) => {
    ws.pause();
    ws.terminate();
  },
  (ws) => {
    ws.send(Buffer.alloc(1 << 20));
    ws.close();
  }
];

const wss = new WebSocket.Server({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  const { port } = wss.address();
  for (let i = 0; i < COUNT; i++) start(`ws://127.0.0.1:${port}/${i}`, ends[i % ends.length]);
});

let left = 2 * COUNT;

function ended() {
  if (--left % 10 === 0) collect();
  if (left > 0) return;
  console.log('all have ended');
  wss.close(() => console.log('and the server'));
}

function start(url, end) {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  ws.on('error', () => {});
  ws.on('close', ended);
  ws.on('open', () => {
    for (let i = 0; i < 20; i++) ws.send(Buffer.alloc(5000, i));
    setImmediate(end, ws);
  });
}

wss.on('connection', (ws, request) => {
  const number = Number(request.url.slice(1));
  ws.on('error', () => {});
  ws.on('close', ended);
  ws.on('message', (data) => {
    ws.send(data);
    if (number % 4 === 0) ends[(number + 1) % ends.length](ws);
  });
});

process.on('exit', (code) => console.log(`exit ${code}, ${left} left`));
