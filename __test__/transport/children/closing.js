'use strict';

// Opens connections and closes each in another way, with ferrows in both roles: NODE_DEBUG=ferrows reports what happens to
// their transports. The accepted sockets of the second half are net.Sockets.

const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('../../../index.js');

/** Ways to end a connection. */
const ENDS = [
  ({ client }) => client.close(1000),
  ({ server }) => server.close(1000),
  ({ client, server }) => {
    client.close(1000);
    server.close(1000);
  },
  ({ client }) => client.terminate(),
  ({ server }) => server.terminate(),
  ({ client }) => client._socket.end(),
  ({ server }) => server._socket.end()
];

async function main() {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(wss, 'listening');
  for (const isMaterialized of [false, true]) {
    for (const end of ENDS) {
      const accepted = once(wss, 'connection');
      const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
      const [[server]] = await Promise.all([accepted, once(client, 'open')]);
      if (isMaterialized) server._socket.setKeepAlive(true);
      const closed = [once(client, 'close'), once(server, 'close')];
      end({ client, server });
      await Promise.all(closed);
    }
  }
  wss.close();
}

main();
