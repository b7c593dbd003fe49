'use strict';

// A server that computes from the word 'block' until the file RELEASE exists: no other JavaScript runs meanwhile. Then it
// reports the bytes read from each connection, and checks the deliveries.

const { existsSync, writeSync } = require('node:fs');
const readline = require('node:readline');
const ferrows = require('ferrows');
const transportOf = require('../../transport-of.cjs');
const { listen, pattern } = require('../pairs');

/** Synchronous: nothing else leaves this process while it computes. @param {object} value */
const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);

const connections = [];
const readTotal = () => connections.map((ws) => transportOf(ws).receivedTotal);

function block() {
  say({ blocked: true });
  let told = false;
  while (!existsSync(process.env.RELEASE)) {
    if (!told && readTotal().some((bytes) => bytes >= Number(process.env.ENOUGH))) {
      told = true;
      say({ enough: true });
    }
  }
  say({ read: readTotal() });
}

async function main() {
  const wss = await listen(ferrows);
  wss.on('connection', (ws) => {
    let count = 0;
    connections.push(ws);
    ws.on('message', (data) => {
      if (!pattern(count, data.length).equals(data)) say({ wrong: count });
      if (++count === Number(process.env.MESSAGES)) ws.send('all');
    });
    ws.on('close', () => {
      if (wss.clients.size === 0) wss.close();
    });
    say({ connections: connections.length });
  });
  say({ port: wss.address().port });
  const commands = readline.createInterface({ input: process.stdin });
  commands.on('line', () => {
    commands.close();
    // After the replies to earlier messages.
    setImmediate(block);
  });
}

main();
