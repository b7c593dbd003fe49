'use strict';

// Unreferenced connections of the subject to itself, COUNT a round, round after round. CASE is their fate: `ended`, all are
// collected and memory stays constant; `open`, none are collected and they exchange messages; `leak`, they are held on purpose.
// Reports the number of collected ones, and the memory after the rounds.

const subject = require('../../subject.cjs');
const { connect, end, listen } = require('../../transport/pairs');
const { digits } = require('../../differential/deflate');
const { collect } = require('../measures');

const { CASE } = process.env;
const COUNT = 140;
const ROUNDS = 8;
/** Bytes beyond the buffers of Node and the kernel, when the connection is dropped. */
const QUEUED = Buffer.alloc(64 * 1024, 'q');
const DIGITS = digits(20_000);

/** Counts of the objects of a kind: created, and collected. */
class Census {
  made = 0;
  gone = 0;
  #registry = new FinalizationRegistry(() => this.gone++);

  /** @param {object} object */
  add(object) {
    this.made++;
    this.#registry.register(object, undefined);
  }
}

const sockets = new Census();
const servers = new Census();
const payloads = new Census();
/** @type {any[]} */
const leaked = [];

/** Uses of a connection before it ends, and the end. @type {((server: any, client: any) => void)[]} */
const LIVES = [
  (server, client) => client.close(),
  (server) => server.terminate(),
  // With listeners that hold both ends, and a message each way.
  (server, client) => {
    for (const ws of [server, client]) ws.on('message', (data) => ws.send(data, () => ws.close()));
    client.addEventListener('close', () => server.terminate());
    client.send(DIGITS);
  },
  // With unread output.
  (server, client) => {
    client.pause();
    for (let number = 0; number < 4; number++) {
      const data = Buffer.from(QUEUED);
      payloads.add(data);
      server.send(data, () => {});
    }
    server.terminate();
    client.resume();
  },
  // With undelivered input.
  (server, client) => {
    server.pause();
    client.send('unread');
    client.send(DIGITS, () => {
      server.terminate();
      client.terminate();
    });
  },
  // During a compression and an inflation on other threads.
  (server, client) => {
    client.send(digits(150_000), () => client.terminate());
    server.send(QUEUED, () => {});
  },
  // With every method called.
  (server, client) => {
    for (const ws of [server, client]) void [ws._socket, ws._sender, ws._receiver];
    const stream = subject.createWebSocketStream(client);
    stream.on('error', () => {});
    stream.end('from a stream');
    stream.resume();
  }
];

async function round() {
  const wss = await listen(subject, { perMessageDeflate: true });
  servers.add(wss);
  for (let number = 0; number < COUNT; number++) {
    const [server, client] = await connect(subject, wss, { perMessageDeflate: number % 2 === 0 });
    const closed = [server, client].map((ws) => {
      sockets.add(ws);
      ws.on('error', () => {});
      return new Promise((resolve) => ws.on('close', resolve));
    });
    LIVES[number % LIVES.length](server, client);
    await Promise.all(closed);
    if (CASE === 'leak') leaked.push(server, client);
  }
  await end(wss);
}

async function ended() {
  const memory = [];
  for (let number = 0; number < ROUNDS; number++) {
    await round();
    await collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    memory.push({ heapUsed, external, arrayBuffers });
  }
  await collect();
  return { sockets, servers, payloads, memory };
}

/** Opens unreferenced connections that exchange messages. */
async function openThem(wss, seen) {
  for (let number = 0; number < COUNT; number++) {
    const [server, client] = await connect(subject, wss);
    for (const ws of [server, client]) {
      sockets.add(ws);
      ws.on('close', () => seen.closed++);
    }
    server.on('message', (data) => server.send(data));
    client.on('message', () => {
      seen.messages++;
      seen.heard?.();
    });
  }
}

async function open() {
  // Otherwise the server would hold its ends.
  const wss = await listen(subject, { clientTracking: false });
  const seen = { closed: 0, messages: 0, heard: undefined };
  await openThem(wss, seen);
  for (let number = 0; number < 5; number++) await collect();
  const { gone, made } = sockets;
  const { closed } = seen;
  // The handles of the environment still lead to them.
  const all = new Promise((resolve) => {
    seen.heard = () => seen.messages === COUNT && resolve();
  });
  for (const handle of process._getActiveHandles()) {
    const ws = clientOf(handle);
    if (ws && !ws._isServer) ws.send('still there');
  }
  await all;
  console.log(JSON.stringify({ made, gone, closed, messages: seen.messages }));
  process.exit();
}

/** The WebSocket of a socket. @param {any} socket */
function clientOf(socket) {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    if (socket[symbol] instanceof subject.WebSocket) return socket[symbol];
  }
  return undefined;
}

if (CASE === 'open') open();
else ended().then((result) => console.log(JSON.stringify(result)));
