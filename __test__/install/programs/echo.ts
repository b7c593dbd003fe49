// Echoes with ferrows from TypeScript and prints the echo. The types must resolve, and not to `any`.

import { WebSocket, WebSocketServer, type RawData, type ServerOptions } from 'ferrows';

const options: ServerOptions = { host: '127.0.0.1', port: 0, perMessageDeflate: true };
const server: WebSocketServer = new WebSocketServer(options);
server.on('connection', (socket, request) => {
  const url: string | undefined = request.url;
  socket.on('message', (data: RawData, isBinary: boolean) => {
    socket.send(isBinary ? data : `${url}: ${String(data)}`);
  });
});
server.on('listening', () => {
  const { port } = server.address() as { port: number };
  const client = new WebSocket(`ws://127.0.0.1:${port}/typed`);
  client.on('open', () => client.send('Hello'));
  client.on('message', (data) => {
    console.log(String(data));
    client.close();
    server.close();
  });
});

// @ts-expect-error: no such option
export const wrong: ServerOptions = { prot: 1 };
