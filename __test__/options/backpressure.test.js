'use strict';

// The options maxBackpressure and closeOnBackpressureLimit, with peers of ws that stop reading.

const assert = require('node:assert/strict');
const { channel } = require('node:diagnostics_channel');
const { once } = require('node:events');
const test = require('node:test');
const { setImmediate } = require('node:timers/promises');
const theirs = require('ws');
const { MODES, connect, startServer } = require('./servers');

const { WebSocket, createWebSocketStream } = require('ferrows');

const LIMIT = 256 * 1024;
const SIZE = 16 * 1024;

/**
 * A connection of a server whose client, of ws, does not read.
 *
 * @param {test.TestContext} context
 * @param {any} [options]
 * @param {string} [mode]
 * @param {any} [clientOptions]
 */
async function open(context, options, mode = 'port', clientOptions = undefined) {
  const { url, wss } = await startServer(context, mode, { maxBackpressure: LIMIT, ...options });
  const accepted = once(wss, 'connection');
  const client = connect(context, url, clientOptions);
  const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
  client.pause();
  socket.on('error', () => {});
  return { client, socket, wss };
}

/** @param {number} number @param {number} [size] @returns {Buffer} a message that does not compress */
function numbered(number, size = SIZE) {
  const bytes = require('node:crypto').randomBytes(size);
  bytes.writeUInt32BE(number);
  return bytes;
}

/**
 * Sends numbered messages until one is dropped and a thousand more.
 *
 * @param {any} socket
 * @returns {Promise<{ kept: number[], dropped: number[] }>}
 */
async function overfill(socket) {
  /** @type {number[]} */
  const dropped = [];
  socket.on('dropped', (/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) => {
    assert.equal(isBinary, true);
    dropped.push(data.readUInt32BE());
  });
  const kept = [];
  for (let number = 0; dropped.length < 1000; number++) {
    const before = dropped.length;
    socket.send(numbered(number));
    assert(socket.bufferedAmount <= LIMIT, 'the queue is within the limit');
    if (dropped.length === before) kept.push(number);
    // Output of a stream leaves in ticks.
    if (number % 64 === 0) await setImmediate();
  }
  return { kept, dropped };
}

for (const mode of MODES) {
  test(`{ ${mode} }: messages that do not fit are dropped, the others arrive`, async (context) => {
    const { client, socket } = await open(context, undefined, mode);
    const { kept, dropped } = await overfill(socket);
    assert(kept.length > 0);
    assert.deepEqual(
      [...kept, ...dropped].sort((a, b) => a - b),
      Array.from({ length: kept.length + dropped.length }, (_, number) => number)
    );

    /** @type {number[]} */
    const received = [];
    client.on('message', (data) => received.push(/** @type {Buffer} */ (data).readUInt32BE()));
    const drained = once(socket, 'drain').then(() => socket.bufferedAmount);
    client.resume();
    assert((await drained) < LIMIT / 2);
    socket.close();
    await once(client, 'close');
    assert.deepEqual(received, kept);
  });
}

test("a client's queue is bounded, too", async (context) => {
  const wss = new theirs.WebSocketServer({ host: '127.0.0.1', port: 0 });
  context.after(() => wss.close());
  await once(wss, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (wss.address());
  const client = new WebSocket(
    `ws://127.0.0.1:${port}`,
    /** @type {any} */ ({ maxBackpressure: LIMIT })
  );
  context.after(() => client.terminate());
  const [[peer]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
  peer.pause();
  const { kept } = await overfill(client);
  /** @type {number[]} */
  const received = [];
  peer.on('message', (/** @type {Buffer} */ data) => received.push(data.readUInt32BE()));
  peer.resume();
  await once(client, 'drain');
  client.close();
  await once(peer, 'close');
  assert.deepEqual(received, kept);
});

test("'drain' is emitted once per rise above half the limit", async (context) => {
  const { client, socket } = await open(context);
  let drains = 0;
  socket.on('drain', () => drains++);
  for (let round = 1; round <= 3; round++) {
    client.pause();
    while (socket.bufferedAmount < LIMIT * 0.75) {
      socket.send(numbered(0));
      await setImmediate();
    }
    client.resume();
    await once(socket, 'drain');
    assert.equal(drains, round);
    /** @type {Promise<void>} */
    const sent = new Promise((resolve) => socket.send('small', () => resolve()));
    await sent;
    assert.equal(drains, round);
  }
});

test('closeOnBackpressureLimit terminates the connection, and says why', async (context) => {
  const { client, socket } = await open(context, { closeOnBackpressureLimit: true });
  /** @type {any[]} */
  const published = [];
  const closes = channel('ferrows:connection:close');
  const subscriber = (/** @type {any} */ message) => published.push(message);
  closes.subscribe(subscriber);
  context.after(() => closes.unsubscribe(subscriber));
  socket.on('dropped', () => assert.fail());
  const closed = once(socket, 'close');
  for (let number = 0; socket.readyState === WebSocket.OPEN; number++) {
    socket.send(numbered(number));
    if (number % 64 === 0) await setImmediate();
  }
  assert.equal((await closed)[0], 1006);
  assert.deepEqual(
    published.filter(({ websocket }) => websocket === socket).map(({ cause }) => cause),
    ['maxBackpressure']
  );
  client.resume();
  assert.equal((await once(client, 'close'))[0], 1006);
});

test('a dropped message fails its callback', async (context) => {
  const { socket } = await open(context);
  await overfill(socket);
  const error = await new Promise((resolve) => socket.send(numbered(0), resolve));
  assert.equal(error.code, 'ERR_FERROWS_BACKPRESSURE');
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test('all fragments of a dropped message are dropped', async (context) => {
  const { client, socket } = await open(context);
  await overfill(socket);
  socket.removeAllListeners('dropped');
  /** @type {string[]} */
  const dropped = [];
  socket.on('dropped', (/** @type {any} */ data) => dropped.push(String(data).slice(0, 5)));
  socket.send(`first${'-'.repeat(LIMIT)}`, { fin: false });
  client.resume();
  await once(socket, 'drain');
  // The queue has room again, but the message has no beginning.
  socket.send('second', { fin: false });
  socket.send('third');
  socket.send('whole');
  /** @type {string[]} */
  const texts = [];
  client.on('message', (data, isBinary) => {
    if (!isBinary) texts.push(String(data));
  });
  socket.close();
  await once(client, 'close');
  assert.deepEqual(texts, ['whole']);
  assert.deepEqual(dropped, ['first']);
});

test('a fragment that does not fit into an admitted message ends the connection', async (context) => {
  const { socket } = await open(context);
  socket.send('begin', { fin: false });
  const closed = once(socket, 'close');
  for (let number = 0; socket.readyState === WebSocket.OPEN; number++) {
    socket.send('-'.repeat(SIZE), { fin: false });
    if (number % 64 === 0) await setImmediate();
  }
  assert.equal((await closed)[0], 1006);
});

test('messages that are being compressed count', async (context) => {
  const { client, socket } = await open(context, { perMessageDeflate: true });
  let dropped = 0;
  socket.on('dropped', () => dropped++);
  // Compressed on another thread, one after the other: none of it has been queued for the peer when the loop ends.
  const message = 'x'.repeat(LIMIT / 2 - 100);
  for (let count = 0; count < 10; count++) socket.send(message);
  assert.equal(dropped, 8);
  assert(socket.bufferedAmount <= LIMIT);
  let received = 0;
  client.on('message', () => received++);
  client.resume();
  socket.close();
  await once(client, 'close');
  assert.equal(received, 2);
});

test('pongs to a peer that does not read are bounded', async (context) => {
  const { client, socket } = await open(context, { maxPendingAutoPongs: 0 });
  await overfill(socket);
  const before = socket.bufferedAmount;
  for (let count = 0; count < 10_000; count++) client.ping('x'.repeat(120));
  /** @type {Promise<void>} */
  const arrived = new Promise((resolve) => {
    let pings = 0;
    socket.on('ping', () => {
      if (++pings === 10_000) resolve();
    });
  });
  await arrived;
  assert(socket.bufferedAmount <= LIMIT && socket.bufferedAmount >= before - SIZE);
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test('a stream waits, and loses nothing', async (context) => {
  const { client, socket } = await open(context);
  const stream = createWebSocketStream(socket);
  socket.on('dropped', () => assert.fail());
  const count = 200;
  for (let number = 0; number < count; number++) stream.write(numbered(number));
  stream.end();
  /** @type {number[]} */
  const received = [];
  client.on('message', (data) => received.push(/** @type {Buffer} */ (data).readUInt32BE()));
  client.resume();
  await once(client, 'close');
  assert.deepEqual(
    received,
    Array.from({ length: count }, (_, number) => number)
  );
  stream.destroy();
});

test('a slow reader among readers costs the limit', async (context) => {
  const { client, socket, wss } = await open(context);
  const reader = connect(context, `ws://127.0.0.1:${wss.address().port}`);
  await once(reader, 'open');
  let received = 0;
  reader.on('message', () => received++);
  const count = 2000;
  let last = Promise.resolve();
  for (let number = 0; number < count; number++) {
    const data = numbered(number);
    for (const ws of wss.clients) {
      if (ws === socket) ws.send(data);
      else last = new Promise((resolve) => ws.send(data, () => resolve()));
    }
    await last;
  }
  assert(socket.bufferedAmount <= LIMIT);
  for (const ws of wss.clients) if (ws !== socket) ws.close();
  await once(reader, 'close');
  assert.equal(received, count);
  client.terminate();
});

for (const [name, value, code] of [
  ['maxBackpressure', '1', 'ERR_INVALID_ARG_TYPE'],
  ['maxBackpressure', -1, 'ERR_OUT_OF_RANGE'],
  ['maxBackpressure', 1.5, 'ERR_OUT_OF_RANGE'],
  ['closeOnBackpressureLimit', 1, 'ERR_INVALID_ARG_TYPE']
]) {
  test(`${name}: ${JSON.stringify(value)} is refused`, () => {
    const options = /** @type {any} */ ({ noServer: true, [name]: value });
    const { WebSocketServer } = require('ferrows');
    assert.throws(() => new WebSocketServer(options), { code });
    assert.throws(() => new WebSocket('ws://localhost', options), { code });
  });
}
