'use strict';

// A server that sends what one client says to all the others.
//
//   node examples/broadcast.js         to everybody but the one who said it
//   node examples/broadcast.js --all   to everybody; HOST and PORT say where: 127.0.0.1:8080
//
// For several processes see cluster.mjs, for several machines redis.mjs.

const { WebSocket, WebSocketServer } = require('ferrows');

const toAll = process.argv.includes('--all');
const { HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env;
const server = new WebSocketServer({ host, port: Number(port) });

/** A client that does not read is let go once so many bytes wait for it: send() never says no. */
const MAX_WAITING = 1024 * 1024;

/** Sends to one client, if it can be sent to. */
function deliver(client, data, isBinary) {
  if (client.readyState !== WebSocket.OPEN) return;
  if (client.bufferedAmount > MAX_WAITING) client.terminate();
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

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
