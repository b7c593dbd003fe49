'use strict';

// Advisories of ws about memory, and attack classes with a memory bound (A1 to A5): the memory of this process may not grow
// beyond the limits given here. One test after the other, in a process of its own, once per transport. Results are compared in
// hostile.test.js and advisories.test.js.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { bomb } = require('../differential/deflate');
const { RSV1, deflating } = require('../differential/deflate-peer');
const { OPCODE } = require('../differential/frames');
const { record } = require('../differential/run');
const { subject } = require('../differential/subjects');
const { growth } = require('./memory-growth');
const { nextIteration } = require('./event-loop');

const { continuation, binary, text, ping } = OPCODE;
const other = subject();
const isFerrows = other.name === 'ferrows';

const KIB = 1024;
const MIB = 1024 * KIB;
/** The overhead of allocator and compiler, independent of the attack. */
const NOISE = 24 * MIB;

/**
 * A test in both roles.
 *
 * @param {string} name
 * @param {(t: any) => Promise<void>} body
 */
function inBothRoles(name, body) {
  for (const role of ['server', 'client']) {
    test(`${name} (${role})`, async () => {
      const one = { name, kind: role, timeout: 60000, body };
      const { failure } = await record(one, { kind: role, [role]: other });
      assert.equal(failure, null, String(failure));
    });
  }
}

/** @param {number} actual @param {number} limit @param {string} what */
const atMost = (actual, limit, what) =>
  assert.ok(
    actual <= limit,
    `${what}: ${Math.round(actual / KIB)} KiB, at most ${Math.round(limit / KIB)}`
  );

/** Writes and waits until the kernel has accepted the bytes. */
const written = (raw, bytes) => new Promise((resolve) => raw.socket.write(bytes, resolve));

/** Waits until the library under attack has read everything sent so far. */
async function read(raw) {
  raw.send(ping, 'read?');
  await raw.frame();
}

inBothRoles('CVE-2026-48779 GHSA-96hv-2xvq-fx4p fragments of one byte', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const many = Buffer.concat(
    Array.from({ length: 100_000 }, (_, i) =>
      raw.make(i ? continuation : binary, 'x', { fin: false })
    )
  );
  const error = t.emitted(ws, 'error');
  await written(raw, many);
  // A process that accepts them all reports nothing; its reply proves that it has read them.
  raw.send(ping, 'all of them taken');
  const first = await raw.frame();
  assert.equal(first.opcode, OPCODE.close, 'more fragments than 16384 are taken');
  assert.equal(first.payload.readUInt16BE(), 1008);
  await error;
});

inBothRoles('CVE-2026-48779 retained fragments cost no more than their bytes', async (t) => {
  const open = [];
  for (let i = 0; i < 20; i++) open.push(await t.withRawPeer());
  const many = Buffer.concat(
    Array.from({ length: 16_000 }, (_, i) =>
      open[0].raw.make(i ? continuation : binary, 'x', { fin: false })
    )
  );
  const grown = await growth(async () => {
    for (const { raw } of open) {
      await written(raw, many);
      await read(raw);
    }
  });
  // 320000 bytes are retained. ws retains an object for each.
  atMost(grown.managed, isFerrows ? 4 * MIB : 200 * 320_000, 'managed');
  atMost(grown.resident, isFerrows ? NOISE : 400 * 320_000, 'resident');
});

inBothRoles(
  'CVE-2026-48779 segments of one byte are refused, or cost what they hold',
  async (t) => {
    const count = 20_000;
    const { raw, ws } = await t.withRawPeer({ maxBufferedChunks: 5000 });
    raw.socket.setNoDelay(true);
    let isRefused = false;
    ws.on('error', (err) => (isRefused = err.code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS'));
    const bytes = raw.make(binary, Buffer.alloc(count + 1));
    const header = bytes.length - count - 1;
    await written(raw, bytes.subarray(0, header));
    const grown = await growth(async () => {
      for (let at = header; at < header + count && !isRefused; at++) {
        await written(raw, bytes.subarray(at, at + 1));
        await nextIteration();
      }
    });
    if (isRefused) return;
    atMost(grown.managed, 64 * count, 'managed');
    atMost(grown.resident, NOISE, 'resident');
    await written(raw, bytes.subarray(header + count));
    await t.emitted(ws, 'message');
  }
);

inBothRoles('CVE-2026-62389 empty fragments without end', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const error = t.emitted(ws, 'error');
  const more = Buffer.concat(
    Array.from({ length: 10_000 }, () => raw.make(continuation, '', { fin: false }))
  );
  await written(raw, raw.make(text, '', { fin: false }));
  const grown = await growth(async () => {
    for (let i = 0; i < 20; i++) await written(raw, more);
    raw.send(ping, 'all of them taken');
    const first = await raw.frame();
    assert.equal(first.opcode, OPCODE.close, 'more empty fragments than 16384 are taken');
    assert.equal(first.payload.readUInt16BE(), 1008);
  });
  await error;
  atMost(grown.resident, NOISE, 'resident');
});

inBothRoles('8.23.0 (no id) pings with unread pongs', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.removeAllListeners('ping');
  raw.socket.pause();
  let isOpen = true;
  const lost = new Promise((resolve) => ws.once('close', () => resolve((isOpen = false))));
  const many = Buffer.concat(Array.from({ length: 50 }, () => raw.make(ping, 'p'.repeat(125))));
  const limit = 64 * MIB;
  let sent = 0;
  const grown = await growth(async () => {
    while (isOpen && !raw.closed && sent < limit) {
      await Promise.race([lost, written(raw, many)]);
      await nextIteration();
      sent += many.length;
    }
  });
  assert.ok(sent < limit, `${sent / MIB} MiB of pings are taken, no answer of which is read`);
  await lost;
  raw.socket.destroy();
  atMost(grown.resident, NOISE, 'resident');
});

inBothRoles('CVE-2016-10542 declared lengths reserve nothing', async (t) => {
  const open = [];
  for (let i = 0; i < 50; i++) open.push(await t.withRawPeer());
  const grown = await growth(async () => {
    for (const { raw } of open) {
      await read(raw);
      await written(raw, raw.make(binary, 'some of it', { declare: 100 * MIB }));
    }
    for (let i = 0; i < 5; i++) await nextIteration();
  });
  atMost(grown.managed, 50 * 64 * KIB, 'managed');
  atMost(grown.resident, NOISE, 'resident');
});

inBothRoles('A1 bombs take no memory beyond the limit', async (t) => {
  // Each would inflate to 400 MiB.
  const bytes = bomb(400);
  const grown = await growth(async () => {
    for (let i = 0; i < 3; i++) {
      const { raw, ws } = await deflating(t, { options: { maxPayload: MIB } });
      raw.send(binary, bytes, { rsv: RSV1 });
      const answer = await raw.frame();
      assert.equal(answer.payload.readUInt16BE(), 1009);
      raw.finish();
      await t.closed(ws);
    }
  });
  atMost(grown.resident, NOISE + 3 * MIB, 'resident');
});

inBothRoles(
  'A21 the last ping of an idle connection holds no buffer (hardening, 8.22.2)',
  async (t) => {
    const open = [];
    for (let i = 0; i < 100; i++) open.push(await t.withRawPeer());
    const grown = await growth(async () => {
      for (const { raw } of open) {
        // After much data, so that the last bytes are a small part of a large read.
        const much = raw.make(binary, Buffer.alloc(60 * KIB));
        await written(raw, Buffer.concat([much, raw.make(ping, 'last')]));
        await raw.frame();
      }
    });
    atMost(grown.managed, 100 * 8 * KIB, 'managed');
  }
);
