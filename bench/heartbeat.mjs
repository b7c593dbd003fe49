// CPU time of the JavaScript thread per heartbeat (a ping and its pong): that of `idleTimeout`, and that of the recipe with
// setInterval() of the README of ws, for ws and for ferrows. Peers are plain sockets in a process of their own, which answer pings.
//
//   node bench/heartbeat.mjs [--connections 15000] [--interval 5000] [--seconds 20] [--rounds 3]
//
// Rounds are interleaved, and the least of each subject counts. Linux only: reads /proc.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { sample, used } from './proc.mjs';

const require = createRequire(import.meta.url);

/** Connections that are opened at a time. */
const OPENING = 100;

const REQUEST = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n'
].join('\r\n');

/** The recipe of the README of ws, with the interval of the comparison. */
function startRecipe(WebSocketServer, interval) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  function heartbeat() {
    this.isAlive = true;
  }
  wss.on('connection', (ws) => {
    ws.isAlive = true;
    ws.on('error', () => {});
    ws.on('pong', heartbeat);
  });
  setInterval(() => {
    wss.clients.forEach((ws) => {
      if (ws.isAlive === false) return ws.terminate();
      ws.isAlive = false;
      ws.ping();
    });
  }, interval);
  return wss;
}

/** Servers by subject. */
const SUBJECTS = {
  'ferrows, idleTimeout': (interval) => {
    const { WebSocketServer } = require('../index.js');
    return new WebSocketServer({ host: '127.0.0.1', port: 0, idleTimeout: 2 * interval });
  },
  'ferrows, recipe': (interval) => startRecipe(require('../index.js').WebSocketServer, interval),
  'ws, recipe': (interval) => startRecipe(require('ws').WebSocketServer, interval)
};

/** The process of a server. */
function serve([name, interval]) {
  const wss = SUBJECTS[name](Number(interval));
  wss.on('listening', () => process.send({ port: wss.address().port }));
  process.on('message', () => process.send({ connections: wss.clients.size }));
}

/** The process of the peers: counts the pings that they answer. */
async function load([port, connections]) {
  let answered = 0;
  const open = (index) =>
    new Promise((resolve) => {
      const localAddress = `127.0.0.${2 + Math.floor(index / 10_000)}`;
      const socket = net.connect({ host: '127.0.0.1', port: Number(port), localAddress }, () =>
        socket.write(REQUEST)
      );
      socket.setNoDelay(true);
      socket.once('data', () => {
        socket.on('data', (ping) => {
          // One ping, with less than 126 bytes: its pong is masked with a key of zeros.
          answered++;
          const payload = ping.subarray(2);
          socket.write(
            Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload])
          );
        });
        resolve();
      });
    });
  for (let index = 0; index < connections; index += OPENING) {
    const count = Math.min(OPENING, connections - index);
    await Promise.all(Array.from({ length: count }, (_, offset) => open(index + offset)));
  }
  process.on('message', () => process.send({ answered }));
  process.send({});
}

async function ask(child) {
  child.send({});
  return (await once(child, 'message'))[0];
}

async function measure(name, { connections, interval, seconds }) {
  const file = fileURLToPath(import.meta.url);
  const server = fork(file, ['serve', name, interval]);
  const [{ port }] = await once(server, 'message');
  const peers = fork(file, ['load', port, connections]);
  await once(peers, 'message');
  const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
  // The connections have become idle, and each has had a heartbeat.
  await sleep(Math.max(12_000, 2 * interval));
  const before = { cpu: sample(server.pid), ...(await ask(peers)) };
  await sleep(seconds * 1000);
  const after = { cpu: sample(server.pid), ...(await ask(peers)) };
  const held = (await ask(server)).connections;
  if (held !== connections) throw new Error(`${name} holds ${held} of ${connections} connections`);
  server.kill();
  peers.kill();
  const heartbeats = after.answered - before.answered;
  return { heartbeats, micros: used(before.cpu, after.cpu).main / heartbeats };
}

async function main() {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '15000' },
      interval: { type: 'string', default: '5000' },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3' }
    }
  });
  const settings = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number(value)])
  );
  const least = {};
  for (let round = 0; round < settings.rounds; round++) {
    for (const name of Object.keys(SUBJECTS)) {
      const { heartbeats, micros } = await measure(name, settings);
      least[name] = Math.min(least[name] ?? Infinity, micros);
      console.log(`${name}: ${micros.toFixed(2)} us per heartbeat, ${heartbeats} heartbeats`);
    }
  }
  const recipe = least['ws, recipe'];
  for (const [name, micros] of Object.entries(least)) {
    console.log(`least of ${name}: ${micros.toFixed(2)} us, ${(micros / recipe).toFixed(3)} of ws`);
  }
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'serve') serve(rest);
else if (role === 'load') await load(rest);
else await main();
