'use strict';

// A client that sends a text message, prints the first message that it receives, and closes.
//
//   node examples/server.js
//   node examples/send-text.js ws://127.0.0.1:8080        in another terminal

const { WebSocket } = require('ferrows');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8080');

socket.on('open', () => socket.send('Hello'));

socket.on('message', (data) => {
  // Text messages are a Buffer of UTF-8.
  console.log(`Received: ${data.toString()}`);
  socket.close();
});

socket.on('close', (code) => console.log(`Closed: ${code}`));

socket.on('error', (error) => {
  console.error(`${error.message || error.code} (is node examples/server.js running?)`);
  process.exitCode = 1;
});
