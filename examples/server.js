'use strict';

// The smallest server: whatever a client says goes back to it.
//
//   node examples/server.js            HOST and PORT say where: 127.0.0.1:8080
//
// The clients beside this file talk to it: send-text.js, send-binary.js, round-trip.js, streams.js.

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env;
const server = new WebSocketServer({ host, port: Number(port) });

server.on('connection', (socket) => {
  // What the peer does wrong. Without a listener it would end the process.
  socket.on('error', (error) => console.error(error.message));

  // Text and binary messages both come as a Buffer; the flag says which of them it was.
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
