'use strict';

// A server that detects dead connections: if a cable is pulled or a phone leaves the network, no packet arrives to tell. It pings
// all clients at an interval, and terminates those that have not answered by the next one.
//
//   node examples/heartbeat-server.js        HOST and PORT set the address, by default 127.0.0.1:8080
//                                            HEARTBEAT_MS sets the interval, by default 30000
//
// heartbeat-client.js does the same on the client side.

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080', HEARTBEAT_MS = '30000' } = process.env;
const server = new WebSocketServer({ host, port: Number(port) });

/** Clients whose last ping has not been answered. */
const unanswered = new WeakSet();

server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('pong', () => unanswered.delete(socket));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

const timer = setInterval(() => {
  for (const socket of server.clients) {
    if (unanswered.has(socket)) {
      console.log('A client does not answer pings: terminating its connection.');
      // close() would wait for an answer again.
      socket.terminate();
    } else {
      unanswered.add(socket);
      socket.ping();
    }
  }
}, Number(HEARTBEAT_MS));

server.on('close', () => clearInterval(timer));

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exit(1);
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
