'use strict';

// The end of an environment with many open connections on its event loop: paused, in the middle of a message, unreferenced,
// closing. Node must exit as if they did not exist.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('./child');

const ROUNDS = 20;

for (const transport of ['event_loop', 'io_threads']) {
  test(`process.exit() over ${transport}`, async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const child = new Child(t, 'ends.js', { FERROWS_TRANSPORT: transport, ACTION: 'exit' });
      assert.deepEqual(await child.finished(), { code: 3, signal: null, lines: [{ full: true }] });
    }
  });

  for (const [action, exitCode] of [
    ['terminate', 1],
    ['worker exit', 3]
  ]) {
    test(`${action} over ${transport}`, async (t) => {
      const child = new Child(t, 'ends.js', {
        FERROWS_TRANSPORT: transport,
        ACTION: action,
        ROUNDS: String(ROUNDS)
      });
      assert.deepEqual(await child.finished(), {
        code: 0,
        signal: null,
        lines: [{ codes: [exitCode] }]
      });
    });
  }
}
