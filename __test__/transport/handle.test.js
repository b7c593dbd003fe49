'use strict';

// A program takes the handle of a WebSocket's raw socket away and closes its descriptor, or sends it to another process: the
// connection releases the descriptor, and the next owner of the same number is not disturbed.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('./child');

for (const transport of ['event_loop', 'io_threads', 'auto']) {
  for (const state of ['reading', 'paused']) {
    test(`a handle taken away and closed: ${transport}, ${state}`, async (t) => {
      const child = new Child(t, 'handle.js', {
        FERROWS_TRANSPORT: transport,
        PAUSED: state === 'paused' ? '1' : ''
      });
      assert.deepEqual(await child.finished(), {
        code: 0,
        signal: null,
        lines: [
          { lastWords: 'last words', peerCode: 1006 },
          { hasTwin: true },
          { received: 200, isSpoiled: false, events: [] }
        ]
      });
    });
  }

  test(`a socket sent to another process: ${transport}`, async (t) => {
    const child = new Child(t, 'sent-away.js', { FERROWS_TRANSPORT: transport });
    assert.deepEqual(await child.finished(), {
      code: 0,
      signal: null,
      lines: [
        { texts: ['from the first process', 'from another process: hello'], code: 1006 },
        { bystander: 'still here' }
      ]
    });
  });
}
