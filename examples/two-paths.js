'use strict';

// Two WebSocket servers on one HTTP server: the path of the request decides. Each can have options of its own.
//
//   node examples/two-paths.js         HOST and PORT say where: 127.0.0.1:8080
//
// ws://127.0.0.1:8080/echo gives back what it gets, ws://127.0.0.1:8080/clock says what time it is, once a second.

const { createServer } = require('http');
const { WebSocketServer } = require('ferrows');

const echo = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
const clock = new WebSocketServer({ noServer: true, maxPayload: 1 });
const servers = new Map([
  ['/echo', echo],
  ['/clock', clock]
]);

echo.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

clock.on('connection', (socket) => {
  const tell = () => socket.send(new Date().toISOString());
  const timer = setInterval(tell, 1000);
  tell();
  socket.on('error', (error) => console.error(error.message));
  socket.on('close', () => clearInterval(timer));
});

const { HOST: host = '127.0.0.1', PORT: port = '8080' } = process.env;
const server = createServer();

server.on('upgrade', (request, socket, head) => {
  const [path] = request.url.split('?', 1);
  const chosen = servers.get(path);
  if (chosen === undefined) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    return;
  }
  chosen.handleUpgrade(request, socket, head, (websocket) => {
    // The listeners of 'connection' are ours to call when there is no server in the options.
    chosen.emit('connection', websocket, request);
  });
});

server.listen(Number(port), host, () => {
  console.log(`Listening on ws://${host}:${server.address().port}`);
});
