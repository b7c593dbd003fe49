'use strict';

// What a connection costs in descriptors: Node's own and no other where the event loop drives, one more on a thread; and
// none when it is over.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const WebSocket = require('ferrows');
const { Child } = require('./child');

const CONNECTIONS = 50;

/** Descriptors a connection. Only Linux tells a process its own; elsewhere nothing is claimed. */
const COSTS =
  process.platform === 'linux' ? { event_loop: 1, auto: 1, stream: 1, io_threads: 2 } : {};

for (const [transport, each] of Object.entries(COSTS)) {
  test(`${each} a connection over ${transport}`, async (t) => {
    const child = new Child(t, 'descriptors.js', { FERROWS_TRANSPORT: transport });
    const { port } = await child.next();
    const count = async () => {
      child.tell('count');
      return (await child.next()).descriptors;
    };
    /** With a message each way: the server has taken it over. */
    const open = async () => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}`, { transport: 'event_loop' });
      await once(ws, 'open');
      const answered = once(ws, 'message');
      ws.send('?');
      const { isOnThread } = JSON.parse(String((await answered)[0]));
      assert.equal(isOnThread, transport === 'io_threads');
      return ws;
    };
    // What the first one alone opens, and keeps as long as there is one, is not counted.
    const first = await open();
    const before = await count();
    const others = await Promise.all(Array.from({ length: CONNECTIONS }, open));
    assert.equal(await count(), before + each * CONNECTIONS);
    for (const ws of others) ws.terminate();
    await Promise.all(others.map((ws) => once(ws, 'close')));
    // The server learns of it when it reads.
    while ((await count()) !== before);
    first.terminate();
    assert.deepEqual(await child.rest(), { code: 0, signal: null, lines: [] });
  });
}
