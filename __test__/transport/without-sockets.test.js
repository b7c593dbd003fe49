'use strict';

// A system whose sockets the addon cannot adopt, as on Windows: every connection is a stream, whatever is chosen, and needs no
// thread. scripts/targets.mjs checks that the addon compiles there.

const assert = require('node:assert/strict');
const path = require('node:path');
const test = require('node:test');
const { Child } = require('./child');

const STREAM = { transport: 'StreamTransport', isOnThread: false };

for (const transport of ['auto', 'event_loop', 'io_threads', 'stream']) {
  test(`${transport} goes over a stream`, async (t) => {
    const child = new Child(t, 'without-libuv.js', {
      FERROWS_TRANSPORT: transport,
      NODE_OPTIONS: `--require ${JSON.stringify(path.join(__dirname, 'children/no-sockets.cjs'))}`
    });
    assert.deepEqual(await child.finished(), {
      code: 0,
      signal: null,
      lines: [
        { transports: [STREAM, STREAM], hasThreads: false },
        { received: 5000, called: 5000, pong: '?' },
        { codes: [3001, 3001] },
        { threads: 0 }
      ]
    });
  });
}
