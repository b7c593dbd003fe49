'use strict';

// Sockets and servers that have closed and that nobody holds are collected, with what they had queued, and memory stays where
// it is; open ones stay though nobody holds them.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('../transport/child');

const { FERROWS_TRANSPORT = 'auto' } = process.env;

/** After so many rounds everything is warm. */
const WARM = 3;
/** Bytes that memory may grow by in the five rounds after, of 280 sockets each: less than 600 a socket. */
const MARGIN = 800 * 1024;

/** @param {import('node:test').TestContext} t @param {string} CASE */
async function run(t, CASE) {
  const child = new Child(t, '../../lifecycle/children/collected.js', { FERROWS_TRANSPORT, CASE });
  const { code, signal, lines } = await child.rest();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return lines[0];
}

/** What memory has grown by since everything was warm. @param {Record<string, number>[]} memory */
function growth(memory) {
  const [from, to] = [memory[WARM - 1], memory[memory.length - 1]];
  return Object.fromEntries(Object.keys(from).map((kind) => [kind, to[kind] - from[kind]]));
}

test('what has closed is collected', async (t) => {
  const { sockets, servers, payloads, memory } = await run(t, 'ended');
  assert.deepEqual(sockets, { made: 2240, gone: 2240 });
  assert.deepEqual(servers, { made: 8, gone: 8 });
  assert.ok(payloads.made > 500 && payloads.gone === payloads.made, JSON.stringify(payloads));
  for (const [kind, bytes] of Object.entries(growth(memory))) {
    assert.ok(bytes < MARGIN, `${kind} grew by ${bytes}: ${JSON.stringify(memory)}`);
  }
});

test('what is open is not', async (t) => {
  const seen = await run(t, 'open');
  assert.deepEqual(seen, { made: 280, gone: 0, closed: 0, messages: 140 });
});

test('sockets that are held are seen', async (t) => {
  const { sockets, servers, memory } = await run(t, 'leak');
  assert.deepEqual(sockets, { made: 2240, gone: 0 });
  assert.equal(servers.gone, 0);
  assert.ok(growth(memory).heapUsed > MARGIN, JSON.stringify(memory));
});
