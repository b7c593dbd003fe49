'use strict';

// A server with permessage-deflate. Compression is off by default on servers because it costs CPU time and memory. Clients
// offer it by default, and use it if the server accepts.
//
//   node examples/compression.js       HOST and PORT set the address, by default 127.0.0.1:8080
//
// A client disables it by `perMessageDeflate: false`.

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env;
const server = new WebSocketServer({
  host,
  port: Number(port),
  perMessageDeflate: {
    // 1 is fastest, 9 compresses best.
    zlibDeflateOptions: { level: 3 },
    // Compress each message independently: less memory, larger messages.
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    // Bytes below which messages are not compressed.
    threshold: 512
  }
});

server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  console.log(`Client connected with ${socket.extensions || 'no compression'}.`);

  socket.on('message', (data, isBinary) => {
    // Compressing secrets together with data of an attacker leaks the secrets through the size.
    const isSecret = !isBinary && data.includes('secret');
    socket.send(data, { binary: isBinary, compress: !isSecret });
  });
});

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exitCode = 1;
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
