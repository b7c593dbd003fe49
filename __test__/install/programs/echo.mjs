// Echoes with ferrows from an ES module, by its default and named exports, and prints the echo.

import WebSocketDefault, { WebSocket, WebSocketServer, createWebSocketStream } from 'ferrows';

if (WebSocketDefault !== WebSocket || typeof createWebSocketStream !== 'function') {
  throw new Error('the exports are not those of ws');
}
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
server.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
server.on('listening', () => {
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  client.on('open', () => client.send('Hello'));
  client.on('message', (data) => {
    console.log(String(data));
    client.close();
    server.close();
  });
});
