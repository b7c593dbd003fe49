// An echo server and a client. Prints the echo and exits. Called by the bundled programs.

/** @param {typeof import('ferrows')} package_ */
export function echo({ WebSocket, WebSocketServer }) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
    client.on('open', () => client.send('bundled'));
    client.on('message', (data) => {
      console.log(JSON.stringify(String(data)));
      client.close();
      server.close();
    });
  });
  server.on('connection', (ws) => {
    ws.on('message', (data) => ws.send(data));
  });
}
