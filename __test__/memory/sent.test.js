'use strict';

// The memory of sent messages, with ws as the control: a large payload that the kernel refuses stays in the memory of the
// program, as long as the addon moves the bytes on the event loop. doc/differences.md has the decision for each kind of memory.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const test = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const ferrows = require('ferrows');
const ws = require('ws');
const { connect, end, listen } = require('../transport/pairs');
const transportOf = require('../transport-of.cjs');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** More than the buffers of two sockets hold. */
const BLOCKING = 16 << 20;
const LENGTH = 200_000;
const MEBIBYTE = 1 << 20;

/** True if a message sent now is not copied: with ws, and on the event loop. @param {any} server */
const references = (server) => (transportOf(server)?.kind ?? 'event_loop') === 'event_loop';

/** A connection whose kernel refuses output, because the client does not read. @param {any} library */
async function openBlocked(library) {
  const wss = await listen(library);
  const [server, client] = await connect(library, wss, { maxPayload: 0 });
  client._socket.pause();
  server.send(Buffer.alloc(BLOCKING, 1));
  await new Promise(setImmediate);
  assert.ok(server.bufferedAmount > 0);
  const received = [];
  client.on('message', (data) => received.push(data));
  const resume = () => client._socket.resume();
  return { client, received, resume, server, close: () => end(wss, server, client) };
}

/**
 * Sends `data` on a blocked connection, changes it by `change`, and returns the messages that arrive. `isReferenced`: see
 * references().
 *
 * @param {any} library
 * @param {any} data
 * @param {() => void} change
 */
async function sendAndChange(library, data, change) {
  const { client, received, resume, server, close } = await openBlocked(library);
  const isReferenced = references(server);
  const outcome = new Promise((resolve) => server.send(data, resolve));
  server.send('last');
  change();
  resume();
  while (received.length < 3 && client.readyState !== client.CLOSED) {
    await Promise.race([once(client, 'message'), once(client, 'close')]);
  }
  const error = await outcome;
  await close();
  const [first, second, last] = received;
  assert.equal(first.length, BLOCKING);
  return { error: error ?? null, isReferenced, second, last: last && String(last) };
}

for (const library of [ws, ferrows]) {
  test(`a Buffer that is changed while its message waits (${library === ws ? 'ws' : 'ferrows'})`, async () => {
    for (const length of [20_000, LENGTH, 2 * MEBIBYTE]) {
      const data = Buffer.alloc(length, 'old');
      const { error, isReferenced, second, last } = await sendAndChange(library, data, () =>
        data.fill('new')
      );
      assert.deepEqual([error, last], [null, 'last']);
      assert.ok(second.equals(Buffer.alloc(length, isReferenced ? 'new' : 'old')));
    }
  });
}

test('a view of a part of an ArrayBuffer', async () => {
  const memory = new ArrayBuffer(3 * LENGTH);
  for (const data of [
    new Uint8Array(memory, LENGTH, LENGTH),
    new DataView(memory, LENGTH, LENGTH),
    new Float64Array(memory, LENGTH, LENGTH / 8)
  ]) {
    new Uint8Array(memory).fill(1);
    const { isReferenced, second, last } = await sendAndChange(ferrows, data, () =>
      new Uint8Array(memory, LENGTH, LENGTH).fill(2)
    );
    assert.equal(last, 'last');
    assert.ok(second.equals(Buffer.alloc(LENGTH, isReferenced ? 2 : 1)));
  }
});

for (const [name, create] of Object.entries({
  'is detached': () => {
    const data = new Uint8Array(LENGTH).fill(1);
    return { data, change: () => structuredClone(data.buffer, { transfer: [data.buffer] }) };
  },
  'is shrunk': () => {
    const memory = new ArrayBuffer(LENGTH, { maxByteLength: LENGTH });
    return {
      data: new Uint8Array(memory).fill(1),
      change: () => /** @type {any} */ (memory).resize(LENGTH - 1)
    };
  }
})) {
  test(`the connection fails if the memory of a waiting message ${name}`, async () => {
    const { data, change } = create();
    const { error, isReferenced, second, last } = await sendAndChange(ferrows, data, change);
    if (isReferenced) {
      assert.deepEqual([error.code, error.syscall], ['EFAULT', 'write']);
      assert.deepEqual([second, last], [undefined, undefined]);
      assert.match(error.message, /detached or resized/);
    } else {
      assert.deepEqual([error, last], [null, 'last']);
      assert.ok(second.equals(Buffer.alloc(LENGTH, 1)));
    }
  });
}

test('memory that is copied arrives as it was sent', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(LENGTH)).fill(1);
  const program = new WebAssembly.Memory({ initial: 8, maximum: 100 });
  const part = new Uint8Array(program.buffer, 64, LENGTH).fill(1);
  for (const [data, change] of [
    [shared, () => shared.fill(2)],
    // Detaches the ArrayBuffer of the memory.
    [part, () => program.grow(50)],
    ['1'.repeat(LENGTH), () => {}]
  ]) {
    const { second, last } = await sendAndChange(ferrows, data, change);
    assert.equal(last, 'last');
    assert.ok(second.equals(Buffer.alloc(LENGTH, typeof data === 'string' ? '1' : 1)));
  }
});

test('memory that grows stays valid', async () => {
  const memory = new ArrayBuffer(LENGTH, { maxByteLength: 100 * LENGTH });
  const data = new Uint8Array(memory).fill(1);
  const { second, last } = await sendAndChange(ferrows, data, () =>
    /** @type {any} */ (memory).resize(100 * LENGTH)
  );
  assert.equal(last, 'last');
  assert.ok(second.equals(Buffer.alloc(LENGTH, 1)));
});

test('a Blob and messages in fragments wait in order', async () => {
  const { received, resume, server, client, close } = await openBlocked(ferrows);
  server.send(new Blob([Buffer.alloc(LENGTH, 'a')]));
  server.send(Buffer.alloc(LENGTH, 'b'), { fin: false });
  server.send(Buffer.alloc(10, 'b'), { fin: false });
  server.send(Buffer.alloc(LENGTH, 'b'), { fin: true });
  server.ping('between');
  server.close(1000, 'done');
  resume();
  await once(client, 'close');
  await close();
  assert.deepEqual(received.slice(1).map(String), [
    'a'.repeat(LENGTH),
    'b'.repeat(2 * LENGTH + 10)
  ]);
});

/**
 * Sends messages, each a Buffer that consists of its number and that nothing else holds.
 *
 * @param {any} server
 * @param {number} count
 * @returns {() => number} the number of Buffers whose memory was collected
 */
function sendAndForget(server, count) {
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  for (let number = 0; number < count; number++) {
    const data = Buffer.alloc(LENGTH, number);
    registry.register(data.buffer, number);
    server.send(data);
    if (number % 10 === 0) gc();
  }
  return () => {
    gc();
    return registry && collected;
  };
}

test('garbage collection between a send and its write', async () => {
  const { received, resume, server, client, close } = await openBlocked(ferrows);
  const count = 50;
  const collected = sendAndForget(server, count);
  // New memory in the place of what was collected.
  for (let number = 0; number < count; number++) Buffer.alloc(LENGTH, 'other');
  await new Promise(setImmediate);
  if (references(server)) assert.equal(collected(), 0);
  resume();
  while (received.length <= count) await once(client, 'message');
  for (let number = 0; number < count; number++) {
    assert.ok(received[number + 1].equals(Buffer.alloc(LENGTH, number)));
  }
  while (collected() < count) await new Promise(setImmediate);
  await close();
});

test('terminated connections release the memory of waiting messages', async () => {
  const { server, close } = await openBlocked(ferrows);
  const collected = sendAndForget(server, 10);
  await close();
  while (collected() < 10) await new Promise(setImmediate);
});

/** Growth of the resident memory in bytes, in a process of its own. */
function growth(library, row, messages) {
  const program = path.join(__dirname, 'children', 'sending.js');
  const output = execFileSync(process.execPath, [program, library, row, String(messages)], {
    encoding: 'utf8'
  });
  const result = JSON.parse(output);
  assert.ok(result.pending > 64 * MEBIBYTE, `${result.pending} bytes were pending`);
  return result.growth;
}

for (const [row, messages, description] of /** @type {const} */ ([
  ['unread', 8, '100 clients that do not read'],
  ['slow', 100, 'a slow client']
])) {
  test(
    `one Buffer sent to ${description} takes no more memory than with ws`,
    { skip: process.env.FERROWS_TRANSPORT !== 'event_loop' && 'it may be copied' },
    () => {
      const most = growth('ws', row, messages) + 16 * MEBIBYTE;
      const bytes = growth('ferrows', row, messages);
      assert.ok(bytes <= most, `${bytes} bytes, at most ${most}`);
    }
  );
}
