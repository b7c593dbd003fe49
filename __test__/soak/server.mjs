// The server of the soak, a process of its own: every session's end on this side, broadcasts to many of them, and memory
// samples once per second. Started by soak.mjs with --expose-gc, the seed and optionally a sabotage.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { makeBody } from './bodies.mjs';
import { pack } from './envelope.mjs';
import { sample } from './memory.mjs';
import { PipeServer } from './pipes.mjs';
import { BUFFERED_LIMIT, DEFLATE, planSession } from './plan.mjs';
import { Random } from './random.mjs';
import { End } from './traffic.mjs';

const require = createRequire(import.meta.url);
const { WebSocketServer, createWebSocketStream } = require('../subject.cjs');
const transportOf = require('../transport-of.cjs');
const [seed, sabotage] = [Number(process.argv[2]), process.argv[3]];

/** The sabotage `lose` drops one message in this many. */
const LOSE_ONE_IN = 500;
/** Milliseconds between broadcasts. */
const NEWS = 200;
/** Milliseconds until sessions without a client must have ended. */
const LAST_ENDS = 10_000;

/** @type {Map<number, End | PipeServer>} */
const ends = new Map();
let isFinishing = false;
/** Called when the last session has ended. */
let emptied = () => {};

const tell = (/** @type {object} */ message) => process.send?.(message);

/** @type {Buffer[]} */
const leaked = [];
let received = 0;

/** Sabotages, which prove that the checks can fail. @param {import('ferrows').WebSocket} ws */
function spoil(ws) {
  const emit = ws.emit.bind(ws);
  ws.emit = (/** @type {string} */ name, /** @type {any[]} */ ...values) => {
    if (name !== 'message') return emit(name, ...values);
    received++;
    if (sabotage === 'leak') leaked.push(Buffer.from(values[0]));
    return sabotage === 'lose' && received % LOSE_ONE_IN === 0 ? true : emit(name, ...values);
  };
}

/** @param {import('ferrows').WebSocket} ws @param {number} id */
function begin(ws, id) {
  const plan = planSession(seed, id);
  const done = (/** @type {object} */ record) => {
    ends.delete(id);
    if (ends.size === 0) emptied();
    tell({ type: 'record', side: 'server', record });
  };
  const violation = (/** @type {string} */ text) => {
    tell({ type: 'violation', text: `${id} server: ${text}` });
  };
  if (sabotage) spoil(ws);
  if (ends.has(id)) violation('a second connection of one session');
  const end =
    plan.profile === 'pipe'
      ? new PipeServer(ws, plan, done, createWebSocketStream)
      : new End(ws, plan, 'server', done, violation);
  ends.set(id, end);
  if (isFinishing) end.finish();
  else end.pump();
}

const servers = Object.fromEntries(
  Object.entries(DEFLATE).map(([name, perMessageDeflate]) => [
    name,
    new WebSocketServer({ noServer: true, perMessageDeflate, maxPayload: 16 * 1024 * 1024 })
  ])
);

const http = createServer();
http.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  const { pathname, searchParams } = new URL(String(request.url), 'http://127.0.0.1');
  servers[pathname.slice(1)].handleUpgrade(
    request,
    socket,
    head,
    (/** @type {import('ferrows').WebSocket} */ ws) => begin(ws, Number(searchParams.get('s')))
  );
});
http.listen(0, '127.0.0.1');
await once(http, 'listening');
tell({ type: 'listening', port: /** @type {any} */ (http.address()).port, sample: await sample() });

const random = new Random(seed, 0x6e657773);
let broadcasts = 0;
/** An end that missed a broadcast gets no more: numbers have no gaps. @type {WeakSet<End>} */
const behind = new WeakSet();
const broadcastTimer = setInterval(() => {
  const isBinary = random.chance(0.5);
  const body = makeBody(random, isBinary, random.size(100, 100_000));
  const message = pack(['n', isBinary ? 'b' : 't', 0, broadcasts++], body);
  for (const end of ends.values()) {
    if (!(end instanceof End) || !end.plan.broadcast || behind.has(end)) continue;
    if (end.isOpen && end.ws.bufferedAmount <= BUFFERED_LIMIT) end.sendNews(message, isBinary);
    else behind.add(end);
  }
}, NEWS);

/** Number of connections on I/O threads; 0 with ws. */
function onThreads() {
  let count = 0;
  for (const { ws } of ends.values()) {
    if (transportOf(ws)?.kind === 'io_threads') count++;
  }
  return count;
}

const sampleTimer = setInterval(async () => {
  tell({
    type: 'sample',
    sample: { ...(await sample()), sessions: ends.size, onThreads: onThreads() }
  });
}, 1000);

function finish() {
  isFinishing = true;
  clearInterval(broadcastTimer);
  for (const end of ends.values()) end.finish();
}

/** All clients have disconnected: no session may remain, and the process ends by itself. */
async function stop() {
  clearInterval(sampleTimer);
  await new Promise((resolve) => {
    // Ends caused by the proxy arrive a little later than those that the clients have observed.
    const timer = setTimeout(resolve, LAST_ENDS);
    emptied = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    if (ends.size === 0) emptied();
  });
  http.close();
  http.closeAllConnections();
  await once(http, 'close');
  const clients = Object.values(servers).reduce((sum, wss) => sum + wss.clients.size, 0);
  const left = [...ends.values()].map((end) => ({
    id: end.plan.id,
    readyState: end.ws.readyState,
    bufferedAmount: end.ws.bufferedAmount,
    callbacks: end instanceof End ? end.callbacks.outstanding : 0
  }));
  for (const wss of Object.values(servers)) wss.close();
  // Objects released by a finalizer are collected by the next collection.
  await sample();
  await sample();
  tell({ type: 'stopped', clients, left, sample: await sample(), retained: leaked.length });
  process.disconnect();
}

process.on('message', (/** @type {string} */ command) => {
  if (command === 'finish') finish();
  else if (command === 'stop') void stop();
});
// The parent process has ended.
process.on('disconnect', () => {
  setTimeout(() => process.exit(1), 5000).unref();
  if (!isFinishing) process.exit(1);
});
