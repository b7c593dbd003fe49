'use strict';

// A host without libuv's functions (FERROWS_LIBUV=0 simulates one): every plain socket is on an I/O thread, whatever is chosen,
// and a thread-safe function of Node-API wakes the environment. It must not outlive its connections.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('./child');

const ON_THREAD = { transport: 'NativeTransport', isOnThread: true };

for (const transport of ['auto', 'event_loop', 'io_threads']) {
  for (const where of ['process', 'worker']) {
    test(`${transport} in a ${where}`, async (t) => {
      const child = new Child(t, 'without-libuv.js', {
        FERROWS_LIBUV: '0',
        FERROWS_TRANSPORT: transport,
        WORKER: where === 'worker' ? '1' : ''
      });
      assert.deepEqual(await child.finished(), {
        code: 0,
        signal: null,
        lines: [
          { transports: [ON_THREAD, ON_THREAD], hasThreads: true },
          { received: 5000, called: 5000, pong: '?' },
          { codes: [3001, 3001] },
          { threads: 0 },
          ...(where === 'worker' ? [{ exit: 0 }] : [])
        ]
      });
    });
  }
}

test('the same with libuv, for comparison', async (t) => {
  const child = new Child(t, 'without-libuv.js', { FERROWS_TRANSPORT: 'event_loop' });
  const { code, lines } = await child.finished();
  const onLoop = { ...ON_THREAD, isOnThread: false };
  assert.deepEqual([code, lines[0]], [0, { transports: [onLoop, onLoop], hasThreads: false }]);
});

test('a stream needs no thread there either', async (t) => {
  const child = new Child(t, 'without-libuv.js', {
    FERROWS_LIBUV: '0',
    FERROWS_TRANSPORT: 'stream'
  });
  const { code, lines } = await child.finished();
  const stream = { transport: 'StreamTransport', isOnThread: false };
  assert.deepEqual([code, lines[0]], [0, { transports: [stream, stream], hasThreads: false }]);
});
