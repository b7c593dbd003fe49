'use strict';

// A client that sends numbers as they lie in memory, and reads those that come back in the same way.
//
//   node examples/server.js
//   node examples/send-binary.js ws://127.0.0.1:8080      in another terminal

const { WebSocket } = require('ferrows');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8080');

// Messages are then an ArrayBuffer of exactly their size: a Buffer may begin where no Float32Array can.
socket.binaryType = 'arraybuffer';

socket.on('open', () => {
  const halves = Float32Array.from({ length: 5 }, (_, index) => index / 2);
  socket.send(halves);
});

socket.on('message', (data, isBinary) => {
  if (isBinary) console.log(`Received: ${new Float32Array(data).join(' ')}`);
  socket.close();
});

socket.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
