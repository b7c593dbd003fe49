'use strict';

// Sends large messages from one Buffer, to clients in this process that do not read or read slowly. Prints the growth of the
// resident memory in bytes, and how much was pending at once. Arguments: the library, a row of ROWS, and the messages of 1 MiB to
// each client. Used by bench/sent-memory.mjs, too.

const { once } = require('node:events');
const net = require('node:net');
const { upgradeRequest } = require('../../differential/raw-peer');

const [library, row, messages] = process.argv.slice(2);
const { WebSocketServer } = require(library);

const MEBIBYTE = 1 << 20;

/** A client that has read the response of its handshake and nothing else. @param {number} port */
async function connect(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(upgradeRequest());
  socket.on('error', () => {});
  await once(socket, 'readable');
  const response = socket.read();
  if (!response.includes('\r\n\r\n')) throw new Error('the response came in parts');
  return socket;
}

/** @param {number} count */
async function open(count) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(wss, 'listening');
  const servers = [];
  wss.on('connection', (ws) => servers.push(ws));
  const clients = [];
  for (let number = 0; number < count; number++) clients.push(await connect(wss.address().port));
  while (servers.length < count) await once(wss, 'connection');
  return { clients, servers };
}

/** Reads bytes, a part per turn of the event loop. @param {net.Socket} socket @param {number} count */
async function read(socket, count) {
  let left = count;
  while (left > 0) {
    const chunk = socket.read();
    if (chunk === null) await once(socket, 'readable');
    else left -= chunk.length;
    await new Promise(setImmediate);
  }
}

const ROWS = {
  async unread() {
    const { servers } = await open(100);
    const data = Buffer.alloc(MEBIBYTE, 1);
    return async () => {
      for (let number = 0; number < Number(messages); number++)
        for (const ws of servers) ws.send(data);
      await new Promise(setImmediate);
      return servers.reduce((sum, ws) => sum + ws.bufferedAmount, 0);
    };
  },
  async slow() {
    const { clients, servers } = await open(1);
    const data = Buffer.alloc(MEBIBYTE, 1);
    return async () => {
      for (let number = 0; number < Number(messages); number++) servers[0].send(data);
      const pending = servers[0].bufferedAmount;
      await read(clients[0], Number(messages) * MEBIBYTE);
      return pending;
    };
  }
};

(async () => {
  const run = await ROWS[row]();
  const before = process.resourceUsage().maxRSS;
  const pending = await run();
  const growth = (process.resourceUsage().maxRSS - before) * 1024;
  process.stdout.write(JSON.stringify({ growth, pending }));
  process.exit();
})();
