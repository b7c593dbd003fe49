'use strict';

// A server and a client, connected and idle: prints the timers that keep the process alive, and the bytes sent.

const WebSocket = require(process.env.DIFFERENTIAL_MODULE);

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

const wss = new WebSocket.Server({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`, {
    perMessageDeflate: false
  });
  wss.on('connection', (server) => {
    for (const [name, ws] of Object.entries({ server, client })) {
      for (const event of ['ping', 'pong']) ws.on(event, () => console.log(`${name} ${event}`));
    }
    client.once('open', () => {
      const written = [server._socket.bytesWritten, client._socket.bytesWritten];
      setImmediate(() => {
        console.log(`timers ${timers()}`);
        console.log(`written ${server._socket.bytesWritten - written[0]}`);
        console.log(`written ${client._socket.bytesWritten - written[1]}`);
        console.log(`timeouts ${server._socket.timeout} ${client._socket.timeout}`);
        client.terminate();
        wss.close();
      });
    });
  });
});
