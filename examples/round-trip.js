'use strict';

// A client that measures how long the way to the server and back takes. It sends pings: every server answers them with
// the data they carry, whatever its program does.
//
//   node examples/server.js
//   node examples/round-trip.js ws://127.0.0.1:8080 5     in another terminal; how often: 5

const { WebSocket } = require('ferrows');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8080');
let left = Number(process.argv[3] ?? 5);

const measure = () => socket.ping(String(performance.now()));

socket.on('open', measure);

socket.on('pong', (data) => {
  console.log(`Round trip: ${(performance.now() - Number(data)).toFixed(3)} ms`);
  left -= 1;
  if (left > 0) setTimeout(measure, 100);
  else socket.close();
});

socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
