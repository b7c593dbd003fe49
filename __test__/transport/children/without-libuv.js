'use strict';

// A server and a client in one environment, that of the process or (WORKER=1) of a worker thread: many messages, the closing
// handshake, and the I/O threads that remain. Exits by itself.

const { once } = require('node:events');
const { Worker, isMainThread } = require('node:worker_threads');
const ferrows = require('ferrows');
const { threads } = require('../../../binding.js');
const { connect, describeTransport, listen } = require('../pairs');

const MESSAGES = 5000;

const say = (value) => console.log(JSON.stringify(value));

/** Polls a condition without an event. @param {() => boolean} condition */
function until(condition) {
  return new Promise((resolve) => {
    const look = () => (condition() ? resolve() : setImmediate(look));
    look();
  });
}

async function run() {
  const wss = await listen(ferrows);
  const [server, client] = await connect(ferrows, wss);
  say({
    transports: [describeTransport(server), describeTransport(client)],
    hasThreads: threads() > 0
  });
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  let received = 0;
  const all = new Promise((resolve) => {
    client.on('message', (data) => {
      if (String(data) !== `message ${received}`) say({ wrong: String(data) });
      if (++received === MESSAGES) resolve();
    });
  });
  let called = 0;
  for (let number = 0; number < MESSAGES; number++)
    client.send(`message ${number}`, () => called++);
  await all;
  const pong = once(client, 'pong');
  client.ping('?');
  say({ received, called, pong: String((await pong)[0]) });

  const closed = Promise.all([once(server, 'close'), once(client, 'close')]);
  client.close(3001, 'enough');
  say({ codes: (await closed).map(([code]) => code) });
  wss.close();
  await until(() => threads() === 0);
  say({ threads: threads() });
}

if (isMainThread && process.env.WORKER) {
  const worker = new Worker(__filename);
  worker.on('exit', (code) => say({ exit: code }));
} else {
  run();
}
