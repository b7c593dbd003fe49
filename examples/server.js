'use strict';

// A minimal server: echoes each message to its sender.
//
//   node examples/server.js            HOST and PORT set the address, by default 127.0.0.1:8080
//
// Clients to try it with: send-text.js, send-binary.js, round-trip.js, streams.js.

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env;
const server = new WebSocketServer({ host, port: Number(port) });

server.on('connection', (socket) => {
  // Protocol errors of the peer. Without a listener they would end the process.
  socket.on('error', (error) => console.error(error.message));

  // Text and binary messages are both a Buffer; `isBinary` tells them apart.
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exitCode = 1;
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
