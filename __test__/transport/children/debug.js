'use strict';

// Makes each decision that NODE_DEBUG=ferrows reports, one after the other, and ends.

const { once } = require('node:events');

/** Callbacks of the timers that start from here on: the sweep of idle connections is one. @type {(() => void)[]} */
const intervals = [];
const { setInterval: original } = globalThis;
globalThis.setInterval = /** @type {any} */ (
  (/** @type {() => void} */ callback, /** @type {number} */ delay) => {
    intervals.push(callback);
    return original(callback, delay);
  }
);
const library = require('ferrows');
globalThis.setInterval = original;
const { connect, end, listen } = require('../pairs');

/** @param {any} from @param {any} to */
async function exchange(from, to) {
  from.send('hello');
  await once(to, 'message');
}

/** Sweeps twice: connections without traffic between two sweeps become idle. */
async function sweep() {
  for (let round = 0; round < 2; round++) {
    await new Promise(setImmediate);
    for (const callback of intervals) callback();
  }
}

async function main() {
  const wss = await listen(library);
  const [server, client] = await connect(library, wss, { transport: 'stream' });
  await exchange(client, server);
  await sweep();
  server._socket.on('data', () => {});
  await exchange(client, server);

  process.env.FERROWS_TRANSPORT = 'io_threads';
  const pair = await connect(library, wss);
  await exchange(pair[1], pair[0]);
  await end(wss, server, client, ...pair);
}

main();
