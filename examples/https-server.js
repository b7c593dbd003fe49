'use strict';

// A server with TLS: one HTTPS server for ordinary requests and WebSockets (wss:).
//
//   CERT=cert.pem KEY=key.pem node examples/https-server.js    HOST and PORT set the address, by default localhost:8443
//
// With a test certificate, and a client that trusts it:
//
//   openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem
//   NODE_EXTRA_CA_CERTS=cert.pem node examples/send-text.js wss://localhost:8443
//
// Any existing HTTP server works the same way: http.createServer(), Express, ...

const { readFileSync } = require('fs');
const { createServer } = require('https');
const { WebSocketServer } = require('ferrows');

const { CERT = 'cert.pem', KEY = 'key.pem', HOST: host = 'localhost', PORT = '8443' } = process.env;

function fail(message) {
  console.error(message);
  process.exit(1);
}

function readPem(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    return fail(`${error.message} (create a certificate as the first lines of this file show)`);
  }
}

const server = createServer({ cert: readPem(CERT), key: readPem(KEY) });

server.on('request', (request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.end('This is a WebSocket server.\n');
});

const sockets = new WebSocketServer({ server });

sockets.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

// The WebSocketServer emits the errors of its HTTP server.
sockets.on('error', (error) => fail(`${error.message} (PORT sets another port)`));

server.listen(Number(PORT), host, () => {
  console.log(`Listening on wss://${host}:${server.address().port}`);
});
