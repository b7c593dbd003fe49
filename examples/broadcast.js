'use strict';

// A server that forwards each message to all other clients.
//
//   node examples/broadcast.js         to all clients but the sender
//   node examples/broadcast.js --all   to all clients; HOST and PORT set the address, by default 127.0.0.1:8080
//
// For several processes see cluster.mjs, for several machines redis.mjs.

const { WebSocket, WebSocketServer } = require('ferrows');

const toAll = process.argv.includes('--all');
const { HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env;
const server = new WebSocketServer({ host, port: Number(port) });

/** Maximum of unsent bytes of a client. send() never refuses data, so a client that does not read is disconnected here. */
const MAX_BUFFERED = 1024 * 1024;

/** Sends to a client, if it is open and reads fast enough. */
function deliver(client, data, isBinary) {
  if (client.readyState !== WebSocket.OPEN) return;
  if (client.bufferedAmount > MAX_BUFFERED) client.terminate();
  else client.send(data, { binary: isBinary });
}

server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));

  socket.on('message', (data, isBinary) => {
    for (const client of server.clients) {
      if (toAll || client !== socket) deliver(client, data, isBinary);
    }
  });
});

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exitCode = 1;
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
