'use strict';

// A client that measures the round-trip time by pings. Every WebSocket peer answers a ping by a pong with the same data.
//
//   node examples/server.js
//   node examples/round-trip.js ws://127.0.0.1:8080 5     in another terminal; 5 measurements

const { WebSocket } = require('ferrows');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8080');
let remaining = Number(process.argv[3] ?? 5);

const measure = () => socket.ping(String(performance.now()));

socket.on('open', measure);

socket.on('pong', (data) => {
  console.log(`Round trip: ${(performance.now() - Number(data)).toFixed(3)} ms`);
  remaining -= 1;
  if (remaining > 0) setTimeout(measure, 100);
  else socket.close();
});

socket.on('error', (error) => {
  console.error(`${error.message || error.code} (is node examples/server.js running?)`);
  process.exitCode = 1;
});
