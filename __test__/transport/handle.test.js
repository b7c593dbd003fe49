'use strict';

// Somebody takes the handle of a WebSocket's raw socket away and closes its descriptor, or gives it to another process: the
// connection lets go of it, and whoever gets the same number next has it for himself.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('./child');

for (const transport of ['event_loop', 'io_threads', 'shuffle', 'auto']) {
  for (const state of ['reading', 'paused']) {
    test(`a handle that is taken away and closed: ${transport}, ${state}`, async (t) => {
      const child = new Child(t, 'handle.js', {
        FERROWS_TRANSPORT: transport,
        PAUSED: state === 'paused' ? '1' : ''
      });
      assert.deepEqual(await child.rest(), {
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

  test(`a socket that is sent to another process: ${transport}`, async (t) => {
    const child = new Child(t, 'sent-away.js', { FERROWS_TRANSPORT: transport });
    assert.deepEqual(await child.rest(), {
      code: 0,
      signal: null,
      lines: [
        { texts: ['from the first process', 'from another process: hello'], code: 1006 },
        { bystander: 'still here' }
      ]
    });
  });
}
