'use strict';

// A server that compresses (permessage-deflate). It is off by default for servers, because it costs time and memory;
// clients offer it by default, and use it if the server agrees.
//
//   node examples/compression.js       HOST and PORT say where: 127.0.0.1:8080
//
// A client that does not want it says `perMessageDeflate: false`.

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env;
const server = new WebSocketServer({
  host,
  port: Number(port),
  perMessageDeflate: {
    // 9 is smallest and slowest, 1 largest and fastest.
    zlibDeflateOptions: { level: 3 },
    // Neither side remembers what came before: less memory, larger messages.
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    // What is shorter is not worth it.
    threshold: 512
  }
});

server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  console.log(`A client came, with ${socket.extensions || 'no compression'}.`);

  socket.on('message', (data, isBinary) => {
    // What must stay secret and what an attacker can choose do not go into one compressed stream.
    const isSecret = !isBinary && data.includes('secret');
    socket.send(data, { binary: isBinary, compress: !isSecret });
  });
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
