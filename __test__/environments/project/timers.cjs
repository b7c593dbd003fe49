'use strict';

// Behavior that works while timers are faked: a function of the exports of ws and of `advance`, which advances the faked clock.

const { once } = require('node:events');
const net = require('node:net');
const { 'an encrypted echo': encrypted, ...specs } = require('./specs.cjs');

/** A TCP server with a given response, or none. */
async function mute(onConnection = () => {}) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** @type {Record<string, (api: any, advance: (milliseconds: number) => unknown) => Promise<unknown>>} */
const timers = {
  ...specs,

  async 'a handshake that takes too long'(api, advance) {
    const server = await mute();
    const accepted = once(server, 'connection');
    const client = new api.WebSocket(`ws://127.0.0.1:${server.address().port}`, {
      handshakeTimeout: 5000
    });
    const failed = new Promise((resolve) => client.once('error', resolve));
    const closed = new Promise((resolve) => client.once('close', resolve));
    const [socket] = await accepted;
    await once(socket, 'data');
    await advance(4999);
    const before = client.readyState;
    await advance(2);
    const { message } = await failed;
    const code = await closed;
    socket.destroy();
    server.close();
    await once(server, 'close');
    return [before, message, code];
  },

  async 'a peer that does not close'(api, advance) {
    const wss = new api.WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(wss, 'listening');
    const socket = net.connect(wss.address().port, '127.0.0.1');
    socket.write(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    );
    const [ws] = await once(wss, 'connection');
    const closed = once(ws, 'close');
    ws.close(1001, 'away');
    await once(socket, 'data');
    const before = ws.readyState;
    await advance(30_001);
    const [code, reason] = await closed;
    socket.destroy();
    wss.close();
    await once(wss, 'close');
    return [before, code, String(reason)];
  }
};

// Over TLS no connection is a plain socket: ENCRYPTED selects this part alone.
module.exports = process.env.ENCRYPTED ? { 'an encrypted echo': encrypted } : timers;
