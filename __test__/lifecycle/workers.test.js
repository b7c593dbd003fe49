'use strict';

// Environments of worker threads that end in every way with open connections in use: the process holds the same resources as
// before, its memory does not grow with their number, and connections of the main thread are not disturbed.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('../transport/child');

const { FERROWS_TRANSPORT = 'auto' } = process.env;

/** Bytes that memory may grow by per worker after the first hundred. A live one has 11 MiB; the rest is noise. */
const MARGIN = 192 * 1024;

/** @param {import('node:test').TestContext} t @param {Record<string, string>} env */
async function run(t, env) {
  const child = new Child(t, '../../lifecycle/children/workers.js', { FERROWS_TRANSPORT, ...env });
  const { code, signal, lines } = await child.finished();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return lines[0];
}

test('200 workers, four at a time', async (t) => {
  const seen = await run(t, { COUNT: '200', PARALLEL: '4' });
  const half = { terminate: 50, exit: 25, finish: 25 };
  assert.deepEqual(seen.codes, [half, half]);
  assert.deepEqual(seen.after, seen.before);
  assert.deepEqual({ wrong: seen.wrong, lost: seen.lost }, { wrong: 0, lost: 0 });
  assert.ok(seen.next > 200, `${seen.next}`);
  const [first, second] = seen.memory;
  assert.ok(second - first < 100 * MARGIN, `${seen.memory}`);
});

test('100 workers at the same time', async (t) => {
  const seen = await run(t, { COUNT: '100', PARALLEL: '4', TOGETHER: '1' });
  assert.ok(seen.threads >= seen.before.threads + 100, `${seen.threads}`);
  assert.equal(seen.wrong, 0);
  assert.deepEqual(seen.after, seen.before);
});

test('descriptors left by workers are detected', async (t) => {
  const { before, after } = await run(t, { COUNT: '4', PARALLEL: '1', LEAK: '1' });
  assert.equal(after.descriptors, before.descriptors + 4);
});
