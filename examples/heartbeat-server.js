'use strict';

// A server that notices clients which are gone without a word: a cable is pulled, a phone leaves the network, and no
// packet ever tells. It pings everybody; who has not answered by the next time is dropped.
//
//   node examples/heartbeat-server.js        HOST and PORT say where: 127.0.0.1:8080
//                                            HEARTBEAT_MS how often: 30000
//
// heartbeat-client.js does the same at the other end.

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080', HEARTBEAT_MS = '30000' } = process.env;
const server = new WebSocketServer({ host, port: Number(port) });

/** The clients that have been pinged and have not answered yet. */
const silent = new WeakSet();

server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('pong', () => silent.delete(socket));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

const timer = setInterval(() => {
  for (const socket of server.clients) {
    if (silent.has(socket)) {
      console.log('A client does not answer: its connection ends.');
      // Not close(), which would wait for an answer again.
      socket.terminate();
    } else {
      silent.add(socket);
      socket.ping();
    }
  }
}, Number(HEARTBEAT_MS));

server.on('close', () => clearInterval(timer));

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
