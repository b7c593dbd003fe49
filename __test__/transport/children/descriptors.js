'use strict';

// A server that reports the number of its open descriptors on each line of input, while its peers stay connected.

const { readdirSync } = require('node:fs');
const readline = require('node:readline');
const ferrows = require('ferrows');
const { describeTransport, listen } = require('../pairs');

const say = (value) => console.log(JSON.stringify(value));

async function main() {
  const wss = await listen(ferrows);
  wss.on('connection', (ws) => {
    ws.on('message', () => ws.send(JSON.stringify(describeTransport(ws))));
  });
  say({ port: wss.address().port });
  const commands = readline.createInterface({ input: process.stdin });
  commands.on('line', () => say({ descriptors: readdirSync('/proc/self/fd').length }));
  commands.on('close', () => wss.close());
}

main();
