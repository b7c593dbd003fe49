'use strict';

// A server that sends each client its IP address.
//
//   node examples/client-ip.js               HOST and PORT set the address, by default 127.0.0.1:8080
//   PROXIES=1 node examples/client-ip.js     behind one proxy that adds X-Forwarded-For (PROXIES=2: behind two)

const { WebSocketServer } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT: port = '8080', PROXIES = '0' } = process.env;
/** Number of trusted proxies in front of this server. */
const proxies = Number(PROXIES);

/**
 * Returns the address of the client. Each proxy appends the address of its peer to X-Forwarded-For. A client can send any
 * values before those, so the entries are counted from the end.
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

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exitCode = 1;
});

server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
