'use strict';

// Connections that move from one driver to the other at random, in the middle of everything, as JavaScript sees them:
// nothing shows. A failure names the seed of what was sent; where they move is another matter, and differs each time.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('./child');

const MESSAGES = 400;

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`seed ${seed}`, async (t) => {
    const child = new Child(t, 'shuffle.js', {
      FERROWS_TRANSPORT: 'shuffle',
      SEED: String(seed)
    });
    const close = [4000 + seed, 'moved enough'];
    assert.deepEqual(await child.rest(), {
      code: 0,
      signal: null,
      lines: [
        { received: [MESSAGES, MESSAGES], buffered: [0, 0], haveMoved: true },
        { closed: [close, close] }
      ]
    });
  });
}
