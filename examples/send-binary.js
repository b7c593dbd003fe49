'use strict';

// A client that sends an array of numbers as a binary message, and reads the echoed one.
//
//   node examples/server.js
//   node examples/send-binary.js ws://127.0.0.1:8080      in another terminal

const { WebSocket } = require('ferrows');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8080');

// Messages are then an ArrayBuffer of their size. The offset of a Buffer may not be aligned for a Float32Array.
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
  console.error(`${error.message || error.code} (is node examples/server.js running?)`);
  process.exitCode = 1;
});
