'use strict';

// A flood of bad handshakes: a hundred good clients connect, exchange messages and close while bad clients (handshake-flood.js)
// connect and others send a byte at a time. Good clients are served, each bad client gets the response of ws, and nothing is
// leaked.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { OPCODE } = require('../differential/frames');
const { oracle, subject } = require('../differential/subjects');
const { CLIENTS, GOOD, connect } = require('./handshake-flood');
const { nextIteration } = require('./event-loop');

const { text, close } = OPCODE;

const GOOD_CLIENTS = 100;
const MESSAGES = 10;
const SLOW_CLIENTS = 30;
/** Connections of each bad client, one after the other. */
const REPETITIONS = 4;
/** Polls, 1 ms apart, after which remaining connections count as leaked. */
const MAX_POLLS = 5000;
/** The response depends on the bytes that the server has read when it disconnects: an RST discards the rest of it. */
const TIMING_DEPENDENT = new Set([
  'headers without end',
  'a header of 64 KiB',
  'a target of 64 KiB'
]);

const FOLDER = '/proc/self/fd';

/** Open descriptors of this process, on systems that list them. */
const descriptors = () => (fs.existsSync(FOLDER) ? fs.readdirSync(FOLDER).length : 0);

/** Connects, exchanges messages, closes. @returns {Promise<number>} the number of correct replies */
async function exchange(port, id) {
  const raw = await connect(port);
  raw.write(GOOD);
  await raw.head();
  let count = 0;
  for (let i = 0; i < MESSAGES; i++) {
    const data = `client ${id}, message ${i} ${'.'.repeat(i * 200)}`;
    raw.send(text, data);
    const { opcode, payload } = await raw.frame();
    if (opcode === text && String(payload) === data) count += 1;
  }
  raw.close(1000);
  const { payload } = await raw.frame();
  assert.equal(payload.readUInt16BE(), 1000);
  await raw.rest();
  raw.finish();
  await raw.gone();
  return count;
}

/** Sends a byte at a time until `isOver()`, then the rest; it is served like others. */
async function sendSlowly(port, isOver) {
  const raw = await connect(port);
  const bytes = Buffer.from(GOOD);
  let at = 0;
  while (at < bytes.length - 1 && !isOver()) {
    raw.write(bytes.subarray(at, ++at));
    for (let i = 0; i < 5; i++) await nextIteration();
  }
  raw.write(bytes.subarray(at));
  const [status] = (await raw.head()).split('\r\n');
  raw.send(text, 'at last');
  const { payload } = await raw.frame();
  raw.send(close);
  await raw.rest();
  raw.finish();
  await raw.gone();
  return `${status}, ${payload}`;
}

/**
 * Resources that remain after all clients have disconnected. The server's ends may take a few more iterations.
 *
 * @param {any} wss
 * @param {number} before descriptors at the beginning
 */
async function remaining(wss, before) {
  let left = {};
  for (let polls = 0; polls < MAX_POLLS; polls++) {
    const connections = await new Promise((resolve) =>
      wss._server.getConnections((_, all) => resolve(all))
    );
    left = { connections, clients: wss.clients.size, descriptors: descriptors() - before };
    if (connections === 0 && left.clients === 0 && left.descriptors <= 0) return 'nothing';
    await delay(1);
  }
  return left;
}

/** @returns {Promise<Record<string, any>>} all responses, and the remaining resources */
async function flood({ WebSocketServer }) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  await once(wss, 'listening');
  const { port } = wss.address();
  // Descriptors opened for the first connection stay open.
  await exchange(port, 'first');
  const before = descriptors();

  let over = false;
  const slow = Array.from({ length: SLOW_CLIENTS }, () => sendSlowly(port, () => over));
  /** @type {Record<string, string[]>} */
  const answers = {};
  const bad = Object.entries(CLIENTS).map(async ([name, client]) => {
    const all = new Set();
    for (let repetition = 0; repetition < REPETITIONS; repetition++) all.add(await client(port));
    answers[name] = TIMING_DEPENDENT.has(name) ? ['timing-dependent'] : [...all];
  });
  const good = await Promise.all(
    Array.from({ length: GOOD_CLIENTS }, (_, id) => exchange(port, id))
  );
  await Promise.all(bad);
  over = true;
  const late = new Set(await Promise.all(slow));

  const left = await remaining(wss, before);
  const last = await exchange(port, 'last');
  await new Promise((resolve) => wss.close(resolve));
  return { answers, good, last, late: [...late], left };
}

test(
  'good clients are served while others flood the listener with bad handshakes',
  { timeout: 60_000 },
  async () => {
    const expected = await flood(oracle().lib);
    assert.deepEqual(expected.good, new Array(GOOD_CLIENTS).fill(MESSAGES));
    assert.equal(expected.last, MESSAGES);
    assert.equal(expected.left, 'nothing');
    assert.deepEqual(expected.late, ['HTTP/1.1 101 Switching Protocols, at last']);
    assert.deepEqual(await flood(subject().lib), expected);
  }
);
