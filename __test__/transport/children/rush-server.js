'use strict';

// An echo server that computes on each message, so that its thread is the limit of the exchange. Prints the number of
// connections on I/O threads each time it changes.

const readline = require('node:readline');
const ferrows = require('ferrows');
const transportOf = require('../../transport-of.cjs');
const { listen } = require('../pairs');

const say = (value) => console.log(JSON.stringify(value));

/** Computes for about 10 microseconds, several times the work of the client per message: the server must be the limit. */
function work() {
  let sum = 0;
  for (let at = 0; at < 6_000; at++) sum = (sum + at * at) % 65_521;
  return sum;
}

async function main() {
  const wss = await listen(ferrows);
  let lastCount = 0;

  function report() {
    let count = 0;
    for (const ws of wss.clients) count += transportOf(ws).kind === 'io_threads' ? 1 : 0;
    if (count === lastCount) return;
    lastCount = count;
    say({ onThreads: count });
  }

  let received = 0;
  wss.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => {
      work();
      ws.send(data, { binary: isBinary });
      if (++received % 16 === 0) report();
    });
  });
  say({ port: wss.address().port });
  const commands = readline.createInterface({ input: process.stdin });
  // The last migration happened after a message.
  commands.on('line', () => setImmediate(report));
  commands.on('close', () => wss.close());
}

main();
