'use strict';

// Connections that migrate between drivers at random: invisible to JavaScript. A failure names the seed of the data; the
// moments of migration differ each time.

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
    assert.deepEqual(await child.finished(), {
      code: 0,
      signal: null,
      lines: [
        { received: [MESSAGES, MESSAGES], buffered: [0, 0], haveMoved: true },
        { closed: [close, close] }
      ]
    });
  });
}
