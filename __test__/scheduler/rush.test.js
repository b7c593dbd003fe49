'use strict';

// Under `auto`, connections with many messages at a time migrate to the I/O threads when the event loop is saturated, and back
// when the rush is over. Meanwhile every message is echoed, in order. The scheduler compares processor time with wall time, so
// this suite runs by itself: beside other tests on two cores no thread ever looks busy.

const assert = require('node:assert/strict');
const os = require('node:os');
const test = require('node:test');
const { Child } = require('../transport/child');

/** Enough for several windows of the scheduler without any migration. */
const QUIET_COMMANDS = 40;

async function start(t) {
  const server = new Child(t, 'rush-server.js', { FERROWS_TRANSPORT: 'auto' });
  const { port } = await server.next();
  const client = new Child(t, 'rush-client.js', { URL: `ws://127.0.0.1:${port}` });
  return { server, client };
}

/** Ends both, and checks that every message was echoed. */
async function finish({ server, client }) {
  const ended = { code: 1000, isWhole: true };
  const clients = await client.finished();
  assert.deepEqual(clients, {
    code: 0,
    signal: null,
    lines: [{ ends: Array.from({ length: 8 }, () => ended) }]
  });
  const { code, signal } = await server.finished();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
}

async function goesAndComesBack(t) {
  const both = await start(t);
  const { onThreads } = await both.server.next();
  assert.ok(onThreads > 0);
  both.client.send('calm');
  for (;;) {
    const { onThreads: left } = await both.server.next();
    if (left === 0) break;
  }
  await finish(both);
}

async function staysWhereItIs(t) {
  const both = await start(t);
  for (let number = 0; number < QUIET_COMMANDS; number++) {
    both.server.send('report');
    await new Promise(setImmediate);
  }
  both.client.send('calm');
  await finish(both);
  assert.deepEqual(both.server.lines, []);
}

if (os.availableParallelism() > 1) {
  test('a rush goes to the threads and comes back', goesAndComesBack);
} else {
  test('one core has no room for a thread', staysWhereItIs);
}
