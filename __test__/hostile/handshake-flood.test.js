'use strict';

// Everybody at the door at once: a hundred good clients connect, speak and close while bad guests (door.js) come in crowds and others
// send a byte now and then. Nobody good is disturbed, each bad guest is answered as ws answers it, and nothing is left behind.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const { test } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { OPCODE } = require('../differential/frames');
const { oracle, subject } = require('../differential/subjects');
const { GOOD, GUESTS, enter } = require('./door');
const { turn } = require('./turn');

const { text, close } = OPCODE;

const CLIENTS = 100;
const MESSAGES = 10;
const SLOW = 30;
/** How often each bad guest comes, one after the other. */
const VISITS = 4;
/** Turns after which what is left is said to be lost. */
const PATIENCE = 5000;
/** What is answered depends on what the server has read when it hangs up: an RST takes the rest of the answer along. */
const BLURRED = new Set(['headers without end', 'a header of 64 KiB', 'a target of 64 KiB']);

const FOLDER = '/proc/self/fd';

/** How many descriptors this process has, where it can be known. */
const descriptors = () => (fs.existsSync(FOLDER) ? fs.readdirSync(FOLDER).length : 0);

/** Connects, has every message come back, closes. @returns {Promise<number>} how many came back */
async function behave(port, id) {
  const raw = await enter(port);
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

/** Sends a byte a turn until it is told to get on with it; then it is served like others. */
async function dawdle(port, isOver) {
  const raw = await enter(port);
  const bytes = Buffer.from(GOOD);
  let at = 0;
  while (at < bytes.length - 1 && !isOver()) {
    raw.write(bytes.subarray(at, ++at));
    for (let i = 0; i < 5; i++) await turn();
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
 * What is left when everybody has gone; the server's ends may take a few turns more.
 *
 * @param {any} wss
 * @param {number} before descriptors that there were
 */
async function leftovers(wss, before) {
  let left = {};
  for (let turns = 0; turns < PATIENCE; turns++) {
    const connections = await new Promise((resolve) =>
      wss._server.getConnections((_, all) => resolve(all))
    );
    left = { connections, clients: wss.clients.size, descriptors: descriptors() - before };
    if (connections === 0 && left.clients === 0 && left.descriptors <= 0) return 'nothing';
    await delay(1);
  }
  return left;
}

/** @returns {Promise<Record<string, any>>} all that was answered, and what was left */
async function rush({ WebSocketServer }) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  await once(wss, 'listening');
  const { port } = wss.address();
  // What is opened for the first connection stays open.
  await behave(port, 'first');
  const before = descriptors();

  let over = false;
  const slow = Array.from({ length: SLOW }, () => dawdle(port, () => over));
  /** @type {Record<string, string[]>} */
  const answers = {};
  const bad = Object.entries(GUESTS).map(async ([name, guest]) => {
    const all = new Set();
    for (let visit = 0; visit < VISITS; visit++) all.add(await guest(port));
    answers[name] = BLURRED.has(name) ? ['blurred'] : [...all];
  });
  const good = await Promise.all(Array.from({ length: CLIENTS }, (_, id) => behave(port, id)));
  await Promise.all(bad);
  over = true;
  const late = new Set(await Promise.all(slow));

  const left = await leftovers(wss, before);
  const last = await behave(port, 'last');
  await new Promise((resolve) => wss.close(resolve));
  return { answers, good, last, late: [...late], left };
}

test('a rush at the door', { timeout: 60_000 }, async () => {
  const expected = await rush(oracle().lib);
  assert.deepEqual(expected.good, new Array(CLIENTS).fill(MESSAGES));
  assert.equal(expected.last, MESSAGES);
  assert.equal(expected.left, 'nothing');
  assert.deepEqual(expected.late, ['HTTP/1.1 101 Switching Protocols, at last']);
  assert.deepEqual(await rush(subject().lib), expected);
});
