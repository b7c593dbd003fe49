'use strict';

// Clients of an echo server at URL: bursts of small messages on each connection, without a pause, until the word 'calm'; then
// one message at a time, until the end of the input. Reports the number of echoes, and those out of order.

const { once } = require('node:events');
const readline = require('node:readline');
const { WebSocket } = require('ferrows');

const CONNECTIONS = 8;
const BURST = 32;

const say = (value) => console.log(JSON.stringify(value));

let isCalm = false;
let isOver = false;

/** @param {number} number index of the connection */
async function run(number) {
  const ws = new WebSocket(process.env.URL, { perMessageDeflate: false, transport: 'event_loop' });
  await once(ws, 'open');
  let sent = 0;
  let received = 0;

  function next() {
    if (isOver) {
      ws.close(1000);
      return;
    }
    const count = isCalm ? 1 : BURST;
    for (let at = 0; at < count; at++) ws.send(`${number}:${sent++}`);
  }

  ws.on('message', (data) => {
    if (String(data) !== `${number}:${received}`) say({ wrong: String(data), expected: received });
    if (++received === sent) next();
  });
  next();
  const [code] = await once(ws, 'close');
  return { code, isWhole: received === sent };
}

async function main() {
  const commands = readline.createInterface({ input: process.stdin });
  commands.on('line', () => {
    isCalm = true;
  });
  commands.on('close', () => {
    isOver = true;
  });
  say({ ends: await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => run(number))) });
}

main();
