'use strict';

// An event loop that has nothing to do waits, whatever the states of its connections: readiness kept for later must not make it
// spin.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('./child');

for (const transport of ['event_loop', 'io_threads']) {
  for (const name of [
    'nothing at all',
    'unread input',
    'an end behind unread input',
    'a reset behind unread input',
    'output that is not read',
    'half of a message',
    'numbers that are used again'
  ]) {
    test(`${name} over ${transport}`, async (t) => {
      const child = new Child(t, 'idle-loop.js', { FERROWS_TRANSPORT: transport, CASE: name });
      assert.deepEqual(await child.finished(), { code: 0, signal: null, lines: [{ waits: true }] });
    });
  }
}
