'use strict';

// A server with TLS: one HTTPS server answers ordinary requests and carries the WebSockets (wss:).
//
//   CERT=cert.pem KEY=key.pem node examples/https-server.js    HOST and PORT say where: localhost:8443
//
// With a certificate to try it, and a client that trusts it:
//
//   openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem
//   NODE_EXTRA_CA_CERTS=cert.pem node examples/send-text.js wss://localhost:8443
//
// It works in the same way with an HTTP server that you have already: http.createServer(), Express, ...

const { readFileSync } = require('fs');
const { createServer } = require('https');
const { WebSocketServer } = require('ferrows');

const { CERT = 'cert.pem', KEY = 'key.pem', HOST: host = 'localhost', PORT = '8443' } = process.env;

const server = createServer({ cert: readFileSync(CERT), key: readFileSync(KEY) });

server.on('request', (request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.end('Here speaks a WebSocket server.\n');
});

const sockets = new WebSocketServer({ server });

sockets.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.listen(Number(PORT), host, () => {
  console.log(`Listening on wss://${host}:${server.address().port}`);
});
