'use strict';

// An environment that ends by ACTION with many connections open, in every state, and bytes on their way:
//   exit         process.exit() of this process
//   terminate    worker.terminate(), ROUNDS times, one worker after the other
//   worker exit  process.exit() inside of the worker, ROUNDS times
// The main thread of the last two has a connection of its own, which must not notice.

const { once } = require('node:events');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const ferrows = require('ferrows');
const { connect, end, listen } = require('../pairs');

const CONNECTIONS = 30;
const LARGE = Buffer.alloc(3 * 1024 * 1024, 'x');

const say = (value) => console.log(JSON.stringify(value));

/** States of a connection when everything ends. */
const STATES = [
  // Echoing endlessly.
  (server, client) => {
    for (const ws of [server, client]) ws.on('message', (data) => ws.send(data));
    client.send('round and round');
  },
  // Paused, with unread input.
  (server, client) => {
    server.pause();
    for (let number = 0; number < 20; number++) client.send(`unread ${number}`);
  },
  // In the middle of a message that the peer does not read.
  (server, client) => {
    client.pause();
    server.send(LARGE, () => {});
    server.send('last');
  },
  // Unreferenced.
  (server, client) => {
    for (const ws of [server, client]) ws._socket.unref();
    client.send('unref');
  },
  // Closing.
  (server, client) => {
    client.pause();
    server.close(1000);
  },
  // Idle.
  () => {}
];

/** The same with compression, whose work is on other threads. */
const COMPRESSED_STATES = [
  // Compressing.
  (server) => {
    server.send(LARGE);
    server.send('behind it');
  },
  // Compressing, and inflating the echo, endlessly.
  (server, client) => {
    for (const ws of [server, client]) ws.on('message', (data) => ws.send(data));
    client.send(LARGE);
  },
  // Inflating, with more data behind it, and closing.
  (server, client) => {
    client.send(LARGE, () => server.close());
    client.send('behind it');
  }
];

async function fill() {
  const wss = await listen(ferrows, { perMessageDeflate: true });
  wss.on('error', () => {});
  const pairs = [];
  for (const [states, perMessageDeflate] of [
    [STATES, false],
    [COMPRESSED_STATES, true]
  ]) {
    // Enough to keep the other threads busy.
    const count = perMessageDeflate ? CONNECTIONS / 5 : CONNECTIONS;
    for (let number = 0; number < count; number++) {
      const pair = await connect(ferrows, wss, { perMessageDeflate });
      for (const ws of pair) ws.on('error', () => {});
      states[number % states.length](...pair);
      pairs.push(pair);
    }
  }
  // Bytes until the first kind has echoed.
  await once(pairs[0][1], 'message');
}

async function endWorkers(action) {
  const wss = await listen(ferrows);
  const [server, client] = await connect(ferrows, wss);
  server.on('message', (data) => server.send(data));
  const codes = new Set();
  for (let round = 0; round < Number(process.env.ROUNDS); round++) {
    const worker = new Worker(__filename);
    worker.on('error', (error) => say({ error: error.message }));
    await once(worker, 'message');
    if (action === 'terminate') worker.terminate();
    else worker.postMessage('exit');
    const [code] = await once(worker, 'exit');
    codes.add(code);
    const echoed = once(client, 'message');
    client.send(`round ${round}`);
    await echoed;
  }
  say({ codes: [...codes] });
  await end(wss, server, client);
}

async function main() {
  const { ACTION } = process.env;
  if (!isMainThread) {
    await fill();
    // In the middle of the exchange.
    parentPort.once('message', () => process.exit(3));
    parentPort.postMessage('full');
  } else if (ACTION === 'exit') {
    await fill();
    say({ full: true });
    process.exit(3);
  } else {
    await endWorkers(ACTION);
  }
}

main();
