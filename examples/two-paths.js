'use strict';

// Two WebSocket servers with different options on one HTTP server, selected by the path of the request.
//
//   node examples/two-paths.js         HOST and PORT set the address, by default 127.0.0.1:8080
//
// ws://127.0.0.1:8080/echo echoes messages, ws://127.0.0.1:8080/clock sends the time once a second.

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
  const sendTime = () => socket.send(new Date().toISOString());
  const timer = setInterval(sendTime, 1000);
  sendTime();
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
    // With `noServer` the program emits 'connection'.
    chosen.emit('connection', websocket, request);
  });
});

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exitCode = 1;
});

server.listen(Number(port), host, () => {
  console.log(`Listening on ws://${host}:${server.address().port}`);
});
