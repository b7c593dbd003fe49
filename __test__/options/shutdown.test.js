'use strict';

// shutdown(): how connections end, with clients of ws, what happens to HTTP, and the spread over time, on a clock of the test.
// Traffic during a shutdown is in shutdown-traffic.test.mjs.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { join } = require('node:path');
const test = require('node:test');
const { Worker } = require('node:worker_threads');
const { fork } = require('node:child_process');
const theirs = require('ws');
const { Shutdown, dueTime } = require('../../lib/shutdown');
const { MODES, answerTo, connect, request, runLoop, startServer } = require('./servers');

const { WebSocketServer, shutdown } = require('ferrows');

const DEFAULTS = { code: 1012, reason: '', over: 0, timeout: 10_000, signal: undefined };

/** A clock whose time passes when the test says so. */
class TestClock {
  time = 1000;
  /** @type {{ at: number, callback: () => void }[]} */
  timers = [];

  now() {
    return this.time;
  }

  /** @param {() => void} callback @param {number} delay */
  setTimeout(callback, delay) {
    const timer = { at: this.time + delay, callback };
    this.timers.push(timer);
    return timer;
  }

  /** @param {any} timer */
  clearTimeout(timer) {
    this.timers = this.timers.filter((one) => one !== timer);
  }

  /** @param {number} duration */
  advance(duration) {
    const end = this.time + duration;
    for (;;) {
      this.timers.sort((one, other) => one.at - other.at);
      if (this.timers.length === 0 || this.timers[0].at > end) break;
      const timer = /** @type {any} */ (this.timers.shift());
      this.time = timer.at;
      timer.callback();
    }
    this.time = end;
  }
}

/**
 * Connects clients of ws.
 *
 * @param {test.TestContext} context
 * @param {any} started by startServer()
 * @param {number} count
 */
async function connectAll(context, { url, wss }, count) {
  /** @type {any[]} */
  const sockets = [];
  const clients = [];
  for (let index = 0; index < count; index++) {
    const accepted = once(wss, 'connection');
    const client = connect(context, url);
    clients.push(client);
    const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
    sockets.push(socket);
  }
  return { clients, sockets };
}

/** A client that answers no close frame. @param {any} started @returns {Promise<import('node:net').Socket>} */
async function connectSilent({ connectRaw, wss }) {
  const accepted = once(wss, 'connection');
  const raw = connectRaw(() => raw.write(request()));
  raw.on('error', () => {});
  raw.resume();
  await accepted;
  return raw;
}

for (const mode of MODES) {
  for (const clientTracking of [true, false]) {
    test(`{ ${mode} }, clientTracking: ${clientTracking}: all clients get the close frame`, async (context) => {
      const started = await startServer(context, mode, { clientTracking });
      const { clients } = await connectAll(context, started, 20);
      const closes = clients.map((client) => once(client, 'close'));
      const serverClosed = once(started.wss, 'close');
      const result = await shutdown(started.wss, { code: 4001, reason: 'moved', over: 0 });
      assert.deepEqual(result, { closed: 20, lost: 0, terminated: 0 });
      await serverClosed;
      for (const [code, reason] of await Promise.all(closes)) {
        assert.deepEqual([code, String(reason)], [4001, 'moved']);
      }
      assert.equal(started.server.listening, mode === 'noServer');
      assert.equal(started.wss.stats().connections, 0);
    });
  }

  test(`{ ${mode} }: a client that does not answer is terminated after the timeout`, async (context) => {
    const clock = new TestClock();
    const started = await startServer(context, mode, {});
    const silent = await connectSilent(started);
    const { clients } = await connectAll(context, started, 1);
    const ended = once(silent, 'close');
    const done = new Shutdown(started.wss, { ...DEFAULTS, timeout: 500 }, clock).run();
    await once(clients[0], 'close');
    clock.advance(499);
    await runLoop(context);
    assert.equal(started.wss.stats().connections, 1);
    clock.advance(1);
    await ended;
    // The HTTP server has no other connections.
    clock.advance(1000);
    assert.deepEqual(await done, { closed: 1, lost: 0, terminated: 1 });
    assert.deepEqual(clock.timers, []);
  });

  test(`{ ${mode} }: queued output leaves before the close frame`, async (context) => {
    const started = await startServer(context, mode, {});
    const { clients, sockets } = await connectAll(context, started, 1);
    const [client] = clients;
    client.pause();
    const COUNT = 64;
    for (let index = 0; index < COUNT; index++) {
      sockets[0].send(Buffer.alloc(256 * 1024, index));
    }
    assert.ok(sockets[0].bufferedAmount > 0);
    /** @type {any[]} */
    const found = [];
    client.on('message', (/** @type {Buffer} */ data) => found.push(data[0]));
    client.on('close', (/** @type {number} */ code) => found.push(code));
    const done = shutdown(started.wss, { over: 0 });
    await runLoop(context);
    client.resume();
    assert.deepEqual(await done, { closed: 1, lost: 0, terminated: 0 });
    while (found.at(-1) !== 1012) await once(client, 'close');
    assert.deepEqual(found, [...Array.from({ length: COUNT }, (_, index) => index), 1012]);
  });

  for (const isAborted of [true, false]) {
    test(`{ ${mode} }: the signal, aborted ${isAborted ? 'before' : 'later'}, terminates all`, async (context) => {
      const started = await startServer(context, mode, {});
      await connectSilent(started);
      await connectAll(context, started, 3);
      const controller = new AbortController();
      if (isAborted) controller.abort();
      const done = shutdown(started.wss, {
        over: 60_000,
        timeout: 60_000,
        signal: controller.signal
      });
      if (!isAborted) {
        await runLoop(context);
        controller.abort();
      }
      const { closed, lost, terminated } = await done;
      // The first connection is closed at once.
      assert.equal(closed + lost + terminated, 4);
      assert.ok(terminated >= 3);
    });
  }

  test(`{ ${mode} }: a client that vanishes is counted as lost`, async (context) => {
    const started = await startServer(context, mode, {});
    const silent = await connectSilent(started);
    silent.removeAllListeners('data');
    silent.on('data', () => silent.destroy());
    assert.deepEqual(await shutdown(started.wss, { over: 0 }), {
      closed: 0,
      lost: 1,
      terminated: 0
    });
  });

  test(`{ ${mode} }: connections that close themselves meanwhile are counted`, async (context) => {
    const clock = new TestClock();
    const started = await startServer(context, mode, {});
    const { clients, sockets } = await connectAll(context, started, 4);
    sockets[1].close(4000);
    clients[2].close(4002);
    const done = new Shutdown(started.wss, { ...DEFAULTS, over: 1000 }, clock).run();
    await Promise.all([
      once(clients[0], 'close'),
      once(clients[1], 'close'),
      once(clients[2], 'close')
    ]);
    clock.advance(1000);
    assert.deepEqual(await done, { closed: 4, lost: 0, terminated: 0 });
  });
}

test('a connection that nothing has been read from closes', async (context) => {
  const started = await startServer(context, 'port', { deferReading: true });
  await connectAll(context, started, 2);
  assert.deepEqual(await shutdown(started.wss, { over: 0 }), { closed: 2, lost: 0, terminated: 0 });
});

test('a handshake during the shutdown gets the answer of ws after close()', async (context) => {
  const ours = await startServer(context, 'noServer', {});
  const control = await startServer(context, 'noServer', {}, theirs.WebSocketServer);
  const silent = await connectSilent(ours);
  const done = shutdown(ours.wss, { over: 0 });
  control.wss.close();
  const expected = await answerTo(control, request());
  assert.match(expected, /^HTTP\/1\.1 503 /);
  assert.equal(await answerTo(ours, request()), expected);
  silent.destroy();
  await done;
});

test('connections are closed evenly over the time', async (context) => {
  const COUNT = 200;
  const OVER = 30_000;
  const BINS = 10;
  const clock = new TestClock();
  const started = await startServer(context, 'port', {});
  const { clients, sockets } = await connectAll(context, started, COUNT);
  /** @type {number[]} */
  const times = [];
  for (const socket of sockets) {
    const { close } = socket;
    socket.close = function (/** @type {any[]} */ ...args) {
      times.push(clock.time - 1000);
      close.apply(this, args);
    };
  }
  const closes = clients.map((client) => once(client, 'close'));
  const done = new Shutdown(started.wss, { ...DEFAULTS, over: OVER, timeout: 60_000 }, clock).run();
  clock.advance(OVER);
  await Promise.all(closes);
  assert.deepEqual(await done, { closed: COUNT, lost: 0, terminated: 0 });
  const bins = new Array(BINS).fill(0);
  // The answers to close frames call close(), too.
  for (const time of times.slice(0, COUNT)) bins[Math.floor((time * BINS) / OVER)]++;
  for (const bin of bins) {
    assert.ok(Math.abs(bin - COUNT / BINS) <= COUNT / BINS / 10, `uneven: ${bins}`);
  }
});

test('dueTime() is even, begins at once and ends before the time is over', () => {
  for (const [count, over] of [
    [1, 100],
    [3, 1],
    [5000, 30_000],
    [7, 0]
  ]) {
    const times = Array.from({ length: count }, (_, index) => dueTime(index, count, over));
    assert.equal(times[0], 0);
    assert.ok(over === 0 || times[count - 1] < over);
    for (let index = 1; index < count; index++) {
      assert.ok(Math.abs(times[index] - times[index - 1] - over / count) < 1e-6);
    }
  }
});

test('{ server }: a request in progress is answered, an idle connection ends', async (context) => {
  const started = await startServer(context, 'server', {});
  const { port, server, wss } = started;
  /** @type {http.ServerResponse | undefined} */
  let pending;
  server.on('request', (/** @type {any} */ req, /** @type {http.ServerResponse} */ res) => {
    if (req.url === '/complete') return res.end();
    pending = res;
    res.write('begin');
  });
  const agent = new http.Agent({ keepAlive: true });
  context.after(() => agent.destroy());
  const options = { port, host: '127.0.0.1', agent };
  const [complete] = await once(http.get({ ...options, path: '/complete' }), 'response');
  const [response] = await once(http.get(options), 'response');
  complete.resume();
  const idleEnded = once(complete.socket, 'close');
  await connectAll(context, started, 2);
  const done = shutdown(wss, { over: 0 });
  await idleEnded;
  assert.equal(server.listening, false);
  pending?.end(' end');
  let body = '';
  for await (const chunk of response) body += chunk;
  assert.equal(body, 'begin end');
  assert.deepEqual(await done, { closed: 2, lost: 0, terminated: 0 });
});

test('{ server }: a request that does not end is aborted after the timeout', async (context) => {
  const clock = new TestClock();
  const { port, server, wss } = await startServer(context, 'server', {});
  server.on('request', (/** @type {any} */ _req, /** @type {http.ServerResponse} */ res) =>
    res.write('begin')
  );
  const [response] = await once(http.get({ port, host: '127.0.0.1' }), 'response');
  const failed = once(response, 'error');
  const done = new Shutdown(wss, { ...DEFAULTS, timeout: 300 }, clock).run();
  await runLoop(context);
  assert.equal(response.destroyed, false);
  clock.advance(300);
  const [error] = await failed;
  assert.equal(error.code, 'ECONNRESET');
  clock.advance(200);
  assert.deepEqual(await done, { closed: 0, lost: 0, terminated: 0 });
});

test('{ server }: one that others use is closed by the last of them', async (context) => {
  const started = await startServer(context, 'server', { paths: ['/a'] });
  const { server, url } = started;
  const other = new WebSocketServer({ server, paths: ['/b'] });
  await shutdown(started.wss, { over: 0 });
  assert.equal(server.listening, true);
  const client = connect(context, `${url}/b`);
  await once(client, 'open');
  assert.deepEqual(await shutdown(other, { over: 0 }), { closed: 1, lost: 0, terminated: 0 });
  assert.equal(server.listening, false);
});

test('a second call has the result of the first', async (context) => {
  const started = await startServer(context, 'port', {});
  await connectAll(context, started, 1);
  const first = shutdown(started.wss, { over: 0, code: 4001 });
  const second = shutdown(started.wss, { over: 0, code: 4002 });
  assert.equal(await second, await first);
});

test('a server that is closed already, or closing', async (context) => {
  const closed = await startServer(context, 'port', {});
  closed.wss.close();
  await once(closed.wss, 'close');
  assert.deepEqual(await shutdown(closed.wss), { closed: 0, lost: 0, terminated: 0 });

  const closing = await startServer(context, 'port', {});
  await connectAll(context, closing, 2);
  closing.wss.close();
  assert.deepEqual(await shutdown(closing.wss, { over: 0 }), { closed: 2, lost: 0, terminated: 0 });
});

/** Argument, code, part of the message. @type {[any, string, RegExp][]} */
const INVALID = [
  [null, 'ERR_INVALID_ARG_TYPE', /^The "options" argument must be of type object\. Received null$/],
  [{ code: '1012' }, 'ERR_INVALID_ARG_TYPE', /"options\.code" property must be of type number/],
  [{ code: 5000 }, 'ERR_OUT_OF_RANGE', /"options\.code".*>= 1000 && <= 4999\. Received 5_?000/],
  [{ code: 1006 }, 'ERR_INVALID_ARG_VALUE', /close frame/],
  [{ reason: 1 }, 'ERR_INVALID_ARG_TYPE', /"options\.reason"/],
  [{ reason: 'é'.repeat(62) }, 'ERR_INVALID_ARG_VALUE', /123 bytes/],
  [{ over: -1 }, 'ERR_OUT_OF_RANGE', /"options\.over"/],
  [{ timeout: 1.5 }, 'ERR_OUT_OF_RANGE', /an integer/],
  [{ timeout: Infinity }, 'ERR_OUT_OF_RANGE', /"options\.timeout"/],
  [{ signal: {} }, 'ERR_INVALID_ARG_TYPE', /an instance of AbortSignal/]
];

test('an invalid argument rejects, and the server goes on', async (context) => {
  const started = await startServer(context, 'port', {});
  for (const [options, code, message] of INVALID) {
    await assert.rejects(shutdown(started.wss, options), { code, message });
  }
  for (const server of [undefined, {}, new theirs.WebSocketServer({ noServer: true })]) {
    await assert.rejects(shutdown(/** @type {any} */ (server)), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^The "server" argument must be an instance of WebSocketServer\./
    });
  }
  await connectAll(context, started, 1);
});

const CHILD = join(__dirname, 'children/shutdown.js');

test('in a worker, which ends then', async (context) => {
  const worker = new Worker(CHILD);
  const ended = once(worker, 'exit');
  const [{ port }] = await once(worker, 'message');
  const client = connect(context, `ws://127.0.0.1:${port}`);
  await once(client, 'open');
  const closed = once(client, 'close');
  worker.postMessage('stop');
  const [result] = await once(worker, 'message');
  assert.deepEqual(result, { closed: 1, lost: 0, terminated: 0 });
  assert.equal((await closed)[0], 1012);
  assert.deepEqual(await ended, [0]);
});

test('in the processes of a cluster, which end then', async (context) => {
  const primary = fork(CHILD, ['cluster']);
  context.after(() => primary.kill('SIGKILL'));
  const ended = once(primary, 'exit');
  const [{ port }] = await once(primary, 'message');
  const clients = Array.from({ length: 8 }, () => connect(context, `ws://127.0.0.1:${port}`));
  await Promise.all(clients.map((client) => once(client, 'open')));
  const closes = clients.map((client) => once(client, 'close'));
  primary.send('stop');
  const [{ closed, lost, terminated }] = await once(primary, 'message');
  assert.deepEqual([closed, lost, terminated], [8, 0, 0]);
  for (const [code] of await Promise.all(closes)) assert.equal(code, 1012);
  assert.deepEqual(await ended, [0, null]);
});
