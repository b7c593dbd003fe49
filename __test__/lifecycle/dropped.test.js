'use strict';

// A peer that drops the connection at any step leaves nothing behind: every WebSocket closes once, every callback is called
// once, and the process holds the same resources as before.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('../transport/child');

const { FERROWS_TRANSPORT = 'auto' } = process.env;

/** @param {import('node:test').TestContext} t @param {Record<string, string>} env */
async function run(t, env) {
  const child = new Child(t, '../../lifecycle/children/dropped.js', { FERROWS_TRANSPORT, ...env });
  const { code, signal, lines } = await child.finished();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return lines[0];
}

for (const ROLE of ['server', 'client']) {
  for (const PEER of ['raw', 'ws', 'ferrows']) {
    test(`${PEER} drops connections of a ${ROLE}`, async (t) => {
      const { before, after, echoes, wrong, entries } = await run(t, { ROLE, PEER });
      assert.ok(entries > 100, `${entries}`);
      assert.deepEqual(wrong, []);
      assert.deepEqual(echoes, [true, true, true]);
      assert.deepEqual(after, before);
    });
  }
}

test('a connection left open is detected', async (t) => {
  const { before, after, wrong } = await run(t, { ROLE: 'server', PEER: 'raw', LEAK: '1' });
  assert.equal(wrong.length, 1);
  assert.ok(after.descriptors >= before.descriptors + 2);
  assert.ok(after.resources.length > before.resources.length);
});
