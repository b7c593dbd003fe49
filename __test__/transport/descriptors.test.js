'use strict';

// Descriptors per connection: Node's own where the event loop drives, one more on a thread, and none after the end.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const WebSocket = require('ferrows');
const { Child } = require('./child');

const CONNECTIONS = 50;

/** Descriptors per connection. Only Linux lists them in /proc. */
const COSTS =
  process.platform === 'linux' ? { event_loop: 1, auto: 1, stream: 1, io_threads: 2 } : {};

for (const [transport, each] of Object.entries(COSTS)) {
  test(`${each} a connection over ${transport}`, async (t) => {
    const child = new Child(t, 'descriptors.js', { FERROWS_TRANSPORT: transport });
    const { port } = await child.next();
    const count = async () => {
      child.send('count');
      return (await child.next()).descriptors;
    };
    /** After a message each way the server has adopted the socket. */
    const open = async () => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}`, { transport: 'event_loop' });
      await once(ws, 'open');
      const answered = once(ws, 'message');
      ws.send('?');
      const { isOnThread } = JSON.parse(String((await answered)[0]));
      assert.equal(isOnThread, transport === 'io_threads');
      return ws;
    };
    // Descriptors opened by the first connection and shared by all later ones do not count.
    const first = await open();
    const before = await count();
    const others = await Promise.all(Array.from({ length: CONNECTIONS }, open));
    assert.equal(await count(), before + each * CONNECTIONS);
    for (const ws of others) ws.terminate();
    await Promise.all(others.map((ws) => once(ws, 'close')));
    // The server notices when it reads.
    while ((await count()) !== before);
    first.terminate();
    assert.deepEqual(await child.finished(), { code: 0, signal: null, lines: [] });
  });
}
