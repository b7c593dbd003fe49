'use strict';

// Connections of the subject to itself that nobody holds, COUNT a round, round after round. CASE says what becomes of them:
// `ended`, all is collected and memory stays where it is; `open`, nothing is collected and they go on talking; `leak`, they are
// held on purpose. Says what was collected, and the memory after the rounds.

const subject = require('../../subject.cjs');
const { connect, end, listen } = require('../../transport/pairs');
const { digits } = require('../../differential/deflate');
const { collect } = require('../measures');

const { CASE } = process.env;
const COUNT = 140;
const ROUNDS = 8;
/** What Node and the kernel have not taken when the connection is dropped. */
const QUEUED = Buffer.alloc(64 * 1024, 'q');
const DIGITS = digits(20_000);

/** How many objects of a kind were made, and are gone. */
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

/** What is done with a connection before it ends, and how it ends. @type {((server: any, client: any) => void)[]} */
const LIVES = [
  (server, client) => client.close(),
  (server) => server.terminate(),
  // With listeners that hold both ends, and a message each way.
  (server, client) => {
    for (const ws of [server, client]) ws.on('message', (data) => ws.send(data, () => ws.close()));
    client.addEventListener('close', () => server.terminate());
    client.send(DIGITS);
  },
  // With output that nobody reads.
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
  // With input that is not delivered.
  (server, client) => {
    server.pause();
    client.send('unread');
    client.send(DIGITS, () => {
      server.terminate();
      client.terminate();
    });
  },
  // While a message is compressed, and another inflated, elsewhere.
  (server, client) => {
    client.send(digits(150_000), () => client.terminate());
    server.send(QUEUED, () => {});
  },
  // With all that can be asked for.
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

/** Opens connections that nobody holds; all that is left are messages that go round. */
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
  // Without it, the server would hold its ends.
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
