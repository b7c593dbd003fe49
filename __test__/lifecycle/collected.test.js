'use strict';

// Closed and unreferenced sockets and servers are collected, with their queues, and memory stays constant; open ones stay even
// if unreferenced.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('../transport/child');

const { FERROWS_TRANSPORT = 'auto' } = process.env;

/** Rounds until everything is warm. */
const WARM = 3;
/** Bytes that memory may grow by in the five rounds after, of 280 sockets each: less than 600 a socket. */
const MARGIN = 800 * 1024;

/** @param {import('node:test').TestContext} t @param {string} CASE */
async function run(t, CASE) {
  const child = new Child(t, '../../lifecycle/children/collected.js', { FERROWS_TRANSPORT, CASE });
  const { code, signal, lines } = await child.finished();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return lines[0];
}

/** Growth of memory since everything was warm. @param {Record<string, number>[]} memory */
function growth(memory) {
  const [from, to] = [memory[WARM - 1], memory[memory.length - 1]];
  return Object.fromEntries(Object.keys(from).map((kind) => [kind, to[kind] - from[kind]]));
}

test('closed connections are collected', async (t) => {
  const { sockets, servers, payloads, memory } = await run(t, 'ended');
  assert.deepEqual(sockets, { made: 2240, gone: 2240 });
  assert.deepEqual(servers, { made: 8, gone: 8 });
  assert.ok(payloads.made > 500 && payloads.gone === payloads.made, JSON.stringify(payloads));
  for (const [kind, bytes] of Object.entries(growth(memory))) {
    assert.ok(bytes < MARGIN, `${kind} grew by ${bytes}: ${JSON.stringify(memory)}`);
  }
});

test('open connections are not', async (t) => {
  const seen = await run(t, 'open');
  assert.deepEqual(seen, { made: 280, gone: 0, closed: 0, messages: 140 });
});

test('referenced sockets are detected', async (t) => {
  const { sockets, servers, memory } = await run(t, 'leak');
  assert.deepEqual(sockets, { made: 2240, gone: 0 });
  assert.equal(servers.gone, 0);
  assert.ok(growth(memory).heapUsed > MARGIN, JSON.stringify(memory));
});
