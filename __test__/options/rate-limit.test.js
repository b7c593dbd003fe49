'use strict';

// The options maxMessagesPerSecond, maxBytesPerSecond and closeOnRateLimit, with clients of ws that send as fast as they can.

const assert = require('node:assert/strict');
const { channel } = require('node:diagnostics_channel');
const { once } = require('node:events');
const test = require('node:test');
const { MODES, connect, frame, request, startServer } = require('./servers');
const { TokenBucket, maxReadOf } = require('../../lib/connection/rate-limit');

const { WebSocket, WebSocketServer } = require('ferrows');

/**
 * A connection of a server whose client is of ws.
 *
 * @param {test.TestContext} context
 * @param {any} options
 * @param {string} [mode]
 */
async function open(context, options, mode = 'port') {
  const started = await startServer(context, mode, options);
  const accepted = once(started.wss, 'connection');
  const client = connect(context, started.url, { perMessageDeflate: true });
  const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
  return { ...started, client, socket };
}

/** @param {any} socket @returns {any} the RateLimit of a WebSocket */
function rateLimitOf(socket) {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'transport'
  );
  return socket[/** @type {symbol} */ (symbol)].rateLimit;
}

/**
 * Runs until as many messages have come, and returns the number of those that had come each time reading was found stopped.
 *
 * @param {any} socket
 * @param {number} count
 */
async function receive(socket, count) {
  let received = 0;
  /** @type {Set<number>} */
  const pauses = new Set();
  await new Promise((resolve) => {
    socket.on('message', () => {
      received++;
      setImmediate(() => {
        if (rateLimitOf(socket).isPausing) pauses.add(received);
        if (received === count) resolve(undefined);
      });
    });
  });
  return [...pauses];
}

/** Resolves when the rate limit has stopped reading. @param {any} socket */
function untilPausing(socket) {
  return new Promise((resolve) => {
    socket.on('message', () =>
      setImmediate(() => {
        if (rateLimitOf(socket).isPausing) resolve(undefined);
      })
    );
  });
}

for (const mode of MODES) {
  for (const perMessageDeflate of [false, true]) {
    const title = `{ ${mode} }${perMessageDeflate ? ', compressed' : ''}`;
    test(`${title}: messages beyond the rate wait, and none is lost`, async (context) => {
      const rate = 100;
      const options = { maxMessagesPerSecond: rate, perMessageDeflate };
      const { client, socket } = await open(context, options, mode);
      const count = rate * 2;
      /** @type {number[]} */
      const received = [];
      socket.on('message', (/** @type {any} */ data) => received.push(Number(data)));
      const pauses = receive(socket, count);
      for (let number = 0; number < count; number++) client.send(String(number));
      const [first, ...rest] = await pauses;
      assert(first >= rate, `the first second is free: ${first}, ${rest}`);
      assert(first < rate + maxReadOf(options), 'a delivery overdraws by little');
      assert.notEqual([first, ...rest].length, 0);
      assert.deepEqual(
        received,
        Array.from({ length: count }, (_, number) => number)
      );
      assert.equal(socket.isPaused, false);
      client.close();
      await once(socket, 'close');
    });
  }

  test(`{ ${mode} }: bytes beyond the rate wait`, async (context) => {
    const rate = 1024 * 1024;
    const { client, socket } = await open(context, { maxBytesPerSecond: rate }, mode);
    const size = 8192;
    const count = (rate / size) * 2;
    const pauses = receive(socket, count);
    for (let number = 0; number < count; number++)
      client.send(Buffer.alloc(size), { compress: false });
    const [first] = await pauses;
    // An I/O thread has read on, up to the bytes that may be undelivered.
    assert(first * size >= rate / 2);
    client.close();
    await once(socket, 'close');
  });
}

test('pause() and resume() of a program do not lift the limit', async (context) => {
  const rate = 100;
  const { client, socket } = await open(context, { maxMessagesPerSecond: rate });
  let received = 0;
  const paused = new Promise((resolve) => {
    socket.on('message', () => {
      received++;
      setImmediate(() => {
        if (rateLimitOf(socket).isPausing) resolve(undefined);
      });
    });
  });
  for (let number = 0; number < rate * 2; number++) client.send(String(number));
  await paused;
  socket.pause();
  socket.resume();
  assert.equal(socket._socket.isPaused(), true);
  while (received < rate * 2) await once(socket, 'message');
});

test('a paused WebSocket stays paused when the limit allows reading', async (context) => {
  const rate = 100;
  const { client, socket } = await open(context, { maxMessagesPerSecond: rate });
  const paused = untilPausing(socket);
  for (let number = 0; number < rate * 2; number++) client.send(String(number));
  await paused;
  socket.pause();
  const rateLimit = rateLimitOf(socket);
  // Its timer is the only thing that changes this.
  while (rateLimit.isPausing) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(socket._socket.isPaused(), true);
  socket.resume();
  assert.equal(socket._socket.isPaused(), false);
});

test('closeOnRateLimit closes with 1008, and says why', async (context) => {
  const { client, socket } = await open(context, {
    maxMessagesPerSecond: 100,
    closeOnRateLimit: true
  });
  /** @type {any[]} */
  const causes = [];
  const closes = channel('ferrows:connection:close');
  const subscriber = (/** @type {any} */ { websocket, cause }) => {
    if (websocket === socket) causes.push(cause);
  };
  closes.subscribe(subscriber);
  context.after(() => closes.unsubscribe(subscriber));
  for (let number = 0; number < 5000; number++) client.send('x');
  const [code, reason] = await once(client, 'close');
  assert.equal(code, 1008);
  assert.equal(String(reason), 'Rate limit exceeded');
  if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
  assert.deepEqual(causes, ['rateLimit']);
});

test('one-byte messages in large segments are handled in portions', async (context) => {
  const options = { maxMessagesPerSecond: 500 };
  const { connectRaw, wss } = await startServer(context, 'port', options);
  const accepted = once(wss, 'connection');
  const raw = connectRaw(() => raw.write(request()));
  context.after(() => raw.destroy());
  const [socket] = await accepted;
  let received = 0;
  socket.on('message', () => received++);
  const paused = untilPausing(socket);
  raw.write(Buffer.concat(Array.from({ length: 60_000 }, () => frame(1, 'x'))));
  await paused;
  assert(received >= 500 && received < 500 + 4 * maxReadOf(options), String(received));
  socket.terminate();
});

test('a bucket gives what is saved up, and tells how long it is overdrawn', () => {
  const bucket = new TokenBucket(100, 0);
  assert.equal(bucket.take(100, 0), 0);
  assert.equal(bucket.take(1, 0), 10);
  assert.equal(bucket.take(0, 5), 5);
  assert.equal(bucket.take(0, 10), 0);
  assert.equal(bucket.take(250, 5000), 1500);
  assert.equal(new TokenBucket(0, 0).take(1e9, 0), 0);
});

test('over any time, no more passes than the rate and one second of savings', () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 200; round++) {
    const rate = 1 + Math.floor(random() * 1000);
    const bucket = new TokenBucket(rate, 0);
    let time = 0;
    let taken = 0;
    let largest = 0;
    for (let step = 0; step < 50; step++) {
      const count = Math.floor(random() * rate * 2);
      largest = Math.max(largest, count);
      taken += count;
      const delay = bucket.take(count, time);
      time += delay + random() * 500;
      assert(taken <= rate + (time * rate) / 1000 + largest + 1);
    }
  }
});

for (const [name, value, code] of [
  ['maxMessagesPerSecond', '1', 'ERR_INVALID_ARG_TYPE'],
  ['maxMessagesPerSecond', -1, 'ERR_OUT_OF_RANGE'],
  ['maxBytesPerSecond', NaN, 'ERR_OUT_OF_RANGE'],
  ['closeOnRateLimit', 1, 'ERR_INVALID_ARG_TYPE']
]) {
  test(`${name}: ${JSON.stringify(value)} is refused`, () => {
    const options = /** @type {any} */ ({ noServer: true, [name]: value });
    assert.throws(() => new WebSocketServer(options), { code });
    assert.throws(() => new WebSocket('ws://localhost', options), { code });
  });
}
