'use strict';

// A server that tells each client the address it comes from.
//
//   node examples/client-ip.js               HOST and PORT say where: 127.0.0.1:8080
//   PROXIES=1 node examples/client-ip.js     behind one proxy that adds X-Forwarded-For (two: PROXIES=2)

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080', PROXIES = '0' } = process.env;
/** How many proxies of ours a request comes through. Nothing that is further away can be believed. */
const proxies = Number(PROXIES);

/**
 * The address of the client. Each proxy adds the address that it was called from at the end of the field; what stands
 * before that may be written by anybody, so we count from the end.
 */
function addressOf(request) {
  if (proxies === 0) return request.socket.remoteAddress;
  const forwarded = (request.headers['x-forwarded-for'] ?? '').split(',');
  return forwarded.at(-proxies)?.trim() || request.socket.remoteAddress;
}

const server = new WebSocketServer({ host, port: Number(port) });

server.on('connection', (socket, request) => {
  socket.on('error', (error) => console.error(error.message));
  socket.send(`You are ${addressOf(request)}`);
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
