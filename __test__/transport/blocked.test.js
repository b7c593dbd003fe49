'use strict';

// Over io_threads, a process whose JavaScript is busy still serves its peers: pings are answered, and input is read up to the
// high-water mark. Afterwards everything is delivered, in order.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const WebSocket = require('ferrows');
const { Child } = require('./child');
const { pattern } = require('./pairs');

/** Undelivered bytes at which reading from a connection stops; see src/transport/socket. */
const HIGH_WATER = 256 * 1024;
/** Bytes that one read may bring beyond that. */
const ONE_READ = 64 * 1024;
/** Headers, and events that cost more than their payload. */
const SLACK = 16 * 1024;
const LENGTH = 16 * 1024;
/** 64 MiB: more than two kernel buffers hold. */
const MESSAGES = 4096;
const PINGS = 100;

/** Bytes that the kernel may hold for a connection over the loopback interface; all of them if unknown. */
function kernelBuffers() {
  try {
    const most = (name) =>
      Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').split(/\s+/)[2]);
    return most('tcp_rmem') + most('tcp_wmem');
  } catch {
    return Infinity;
  }
}

/** @param {string} url */
async function open(url) {
  const ws = new WebSocket(url, { perMessageDeflate: false, transport: 'event_loop' });
  await once(ws, 'open');
  return ws;
}

/** Pings one by one, each after the last pong. @param {any} ws @param {number} count */
async function ping(ws, count) {
  for (let number = 0; number < count; number++) {
    const pong = once(ws, 'pong');
    ws.ping(String(number));
    assert.equal(String((await pong)[0]), String(number));
  }
}

test('while JavaScript computes', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ferrows-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const release = path.join(folder, 'release');
  const child = new Child(t, 'blocked.js', {
    FERROWS_TRANSPORT: 'io_threads',
    RELEASE: release,
    ENOUGH: String(HIGH_WATER),
    MESSAGES: String(MESSAGES)
  });
  const { port } = await child.next();
  const url = `ws://127.0.0.1:${port}`;
  const quiet = await open(url);
  assert.deepEqual(await child.next(), { connections: 1 });
  const flooding = await open(url);
  assert.deepEqual(await child.next(), { connections: 2 });
  child.send('block');
  assert.deepEqual(await child.next(), { blocked: true });

  await ping(quiet, PINGS);
  await ping(flooding, PINGS);

  for (let number = 0; number < MESSAGES; number++) flooding.send(pattern(number, LENGTH));
  const total = MESSAGES * LENGTH;
  assert.deepEqual(await child.next(), { enough: true });
  // The thread goes on: only this connection is not read.
  await ping(quiet, PINGS);
  const limit = HIGH_WATER + ONE_READ + SLACK;
  const pending = flooding.bufferedAmount;
  assert.ok(pending >= total - limit - kernelBuffers(), `${pending} bytes wait`);

  const all = once(flooding, 'message');
  writeFileSync(release, '');
  const { read } = await child.next();
  assert.ok(read[1] >= HIGH_WATER && read[1] <= limit, `${read[1]} bytes were read`);
  assert.equal(String((await all)[0]), 'all');
  assert.equal(flooding.bufferedAmount, 0);
  for (const ws of [quiet, flooding]) {
    const closed = once(ws, 'close');
    ws.close(1000);
    assert.equal((await closed)[0], 1000);
  }
  assert.deepEqual(await child.finished(), { code: 0, signal: null, lines: [] });
});
