'use strict';

// A server for idle.test.js: `node receiver.js ws|ferrows`, with --expose-gc. Answers each message from its parent with one.
// Housekeeping of ferrows, which takes place every five seconds, follows each heartbeat.

const { once } = require('node:events');
const { WebSocketServer } = require(process.argv[2]);
const { sweepAll } = require('../../sweep');

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
let received = 0;
server.on('connection', (socket) => {
  socket.on('message', (/** @type {Buffer} */ data) => {
    received += data.length;
    if (received === wanted) process.emit(/** @type {any} */ ('received'));
  });
});
let wanted = NaN;

/** @type {Record<string, (bytes: number) => unknown>} */
const COMMANDS = {
  /** Waits until this many bytes of payload have been received. */
  async receive(bytes) {
    wanted = bytes;
    if (received !== wanted) await once(process, 'received');
  },

  /** Pings all connections, and waits for the pongs. */
  async ping() {
    const pongs = [...server.clients].map((client) => once(client, 'pong'));
    for (const client of server.clients) client.ping();
    await Promise.all(pongs);
    sweepAll();
  },

  /** Resident bytes without garbage. */
  memory() {
    const gc = /** @type {() => void} */ (global.gc);
    // The second one frees what finalizers of the first have released.
    for (let round = 0; round < 2; round++) gc();
    return process.memoryUsage.rss();
  }
};

process.on('message', async (/** @type {[string, number]} */ [command, bytes]) => {
  /** @type {NodeJS.Process & { send: Function }} */ (process).send({
    answer: await COMMANDS[command](bytes)
  });
});
process.on('disconnect', () => process.exit());
server.on('listening', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  /** @type {NodeJS.Process & { send: Function }} */ (process).send({ answer: port });
});
