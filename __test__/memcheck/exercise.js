'use strict';

// Calls all unsafe code of the addon (src/addon/sys/, src/transport/uv/, src/transport/io_threads/raw.rs) once or a few times, over the transport
// that FERROWS_TRANSPORT names. Run by scripts/memcheck.mjs, which watches each access to memory. Checks the results, too; the
// behavior of the library is tested elsewhere.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { EventEmitter, on, once } = require('node:events');
const net = require('node:net');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { WebSocket, WebSocketServer } = require('ferrows');
const native = require('../../lib/native.js');
const { closeLater } = require('../../lib/socket/close-queue.js');
const { configure } = require('../../lib/transport/config-cache.js');
const { bind } = require('../listener/listening.js');
const { UNLIMITED, connect, listen, pattern } = require('../transport/pairs.js');

const library = { WebSocket, WebSocketServer };

/** Empty, one frame of each header size, over a read buffer, more than one batch, memory of its own. */
const LENGTHS = [0, 5, 300, 5000, 70_000, 300_000];

/** Long enough to be compressed and inflated on Node's thread pool. */
const LARGE = 200_000;

/** More than the buffers of two sockets hold. */
const BLOCKING = 16 << 20;

/** Collects messages, one by one. @param {any} ws @returns {() => Promise<Buffer>} */
function reader(ws) {
  const incoming = on(ws, 'message');
  return async () => (await incoming.next()).value[0];
}

/** Echoes each kind of data. @param {any} ws @param {any} client */
async function messages(ws, client) {
  ws.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) =>
    ws.send(data, { binary })
  );
  const next = reader(client);
  for (const length of LENGTHS) {
    const bytes = pattern(length, length);
    client.send(bytes);
    assert.deepEqual(await next(), bytes);
    // Characters of one, two and three bytes, and half a surrogate pair.
    const text = 'aé\ud800'.repeat(length / 5);
    client.send(text);
    assert.equal(String(await next()), text.toWellFormed?.() ?? Buffer.from(text).toString());
  }
  const shared = new Uint8Array(new SharedArrayBuffer(1000)).fill(7);
  client.send(shared);
  assert.deepEqual(await next(), Buffer.from(shared));
  client.send('in', { fin: false });
  client.send(' fragments');
  assert.equal(String(await next()), 'in fragments');
  // Many messages in one tick, one of them sent by a listener in an async context of its own.
  for (let number = 0; number < 100; number++) client.send(`number ${number}`);
  for (let number = 0; number < 100; number++) {
    assert.equal(String(await next()), `number ${number}`);
  }
  ws.ping('ping');
  await once(ws, 'pong');
  ws.pause();
  client.send('later');
  ws.resume();
  assert.equal(String(await next()), 'later');
}

/** Compression, on this thread and on Node's pool, and the release of its memory. */
async function compressed() {
  const options = { perMessageDeflate: { threshold: 0 } };
  const wss = await listen(library, options);
  const [ws, client] = await connect(library, wss, options);
  ws.on('message', (/** @type {Buffer} */ data) => ws.send(String(data)));
  const next = reader(client);
  for (const length of [10, LARGE]) {
    const text = String.fromCharCode(...pattern(length, 1000).map((byte) => 32 + (byte % 90)))
      .repeat(length / 10)
      .slice(0, length);
    client.send(text);
    assert.equal(String(await next()), text);
  }
  while (native.environment.sweep());
  return [wss, ws, client];
}

/**
 * Large messages behind output that the kernel refuses. They are left unsent.
 *
 * @param {any} wss
 */
async function waiting(wss) {
  const [ws, client] = await connect(library, wss);
  client.pause();
  ws.send(Buffer.alloc(BLOCKING));
  for (let number = 0; number < 5; number++) ws.send(pattern(number, LARGE));
  ws.send(new Uint8Array(new SharedArrayBuffer(LARGE)));
  ws.send('x'.repeat(LARGE));
  assert.ok(ws.bufferedAmount > 7 * LARGE);
  return [ws, client];
}

/** The same, sent later or lost. @param {any} wss */
async function delayed(wss) {
  const [, client] = await waiting(wss);
  const next = reader(client);
  client.resume();
  assert.equal((await next()).length, BLOCKING);
  for (let number = 0; number < 5; number++) assert.deepEqual(await next(), pattern(number, LARGE));
  assert.deepEqual([(await next()).length, (await next()).length], [LARGE, LARGE]);

  const [ws, other] = await waiting(wss);
  const lost = pattern(1, LARGE);
  const outcome = new Promise((resolve) => ws.send(lost, resolve));
  structuredClone(lost.buffer, { transfer: [lost.buffer] });
  other.resume();
  await outcome;
  other.terminate();
}

/** A listener that throws, and calls in several async contexts. @param {any} ws @param {any} client */
async function exceptions(ws, client) {
  const error = new Error('thrown by a listener');
  const caught = new Promise((resolve) => {
    process.once('uncaughtException', resolve);
  });
  client.once('message', () => {
    throw error;
  });
  ws.send('one');
  ws.send('two');
  assert.equal(await caught, error);
  const storage = new AsyncLocalStorage();
  const told = new Promise((resolve) => {
    storage.run('context', () => ws.ping('', undefined, () => resolve(storage.getStore())));
  });
  assert.equal(await told, 'context');
}

/** Connections of a listening socket. One stays held, and one pending. */
async function arrivals() {
  if (!native.listens) return;
  const listener = native.createListener();
  const arrived = new EventEmitter();
  let takesAll = () => false;
  listener.listen(
    { fd: bind().fd, backlog: 10, maxHeaderSize: 16384 },
    arrived,
    (owner, number, head, _detail, rest) => owner.emit('arrival', { number, head, rest }),
    () => takesAll()
  );
  const connectTo = () =>
    net.connect(/** @type {any} */ (listener.address()).port, '127.0.0.1').on('error', () => {});
  const arrive = async (/** @type {string} */ bytes) => {
    connectTo().write(bytes, 'latin1');
    return (await once(arrived, 'arrival'))[0];
  };
  const request = 'GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nA: \xe9\r\n\r\n';
  const released = await arrive(`${request}behind`);
  assert.equal(released.head, request);
  assert.equal(String(released.rest), 'behind');
  new net.Socket({ fd: listener.release(released.number) }).destroy();
  listener.discard((await arrive('?')).number);
  takesAll = () => true;
  const unread = await arrive(request);
  assert.equal(unread.head, undefined);
  listener.discard(unread.number);
  const error = new Error('thrown when asked');
  const caught = once(process, 'uncaughtException');
  takesAll = () => {
    throw error;
  };
  listener.discard((await arrive('?')).number);
  assert.equal((await caught)[0], error);
  takesAll = () => false;
  await arrive(request);
  connectTo().write('GET');
  const masked = '\x81\x82\0\0\0\0hi';
  const { number, rest } = await arrive(`${request}${masked}`);
  const { event_loop: loop } = native.Driver;
  const id = native.adopt(number, configure(UNLIMITED).id, 'caf\u00e9', rest, loop);
  native.setOwner(id, { deliver: () => arrived.emit('delivered', native.more(id)) && false });
  await once(arrived, 'delivered');
  assert.equal(native.adopt(number, 0, '', undefined, loop), -1);
  native.free(id);
  await Promise.all([1, 2].map(() => new Promise((close) => closeLater({ close }))));
}

/** Wrong calls must be refused and change nothing. */
function mistakes() {
  const { adopt, attach, close, ping, send, receive, takeOutput } =
    /** @type {Record<string, any>} */ (native);
  const connection = native.createConnection(configure(UNLIMITED).id);
  for (const wrong of [
    () => send(1 << 20, 'no such connection', 0),
    () => send('no number', '', 0),
    () => send(connection.id, '', 4, 'no key'),
    () => send(connection.id, '', 4, new Uint8Array(3)),
    () => ping(connection.id, 'said to be bytes', 0),
    () => close(connection.id, '', 4),
    () => attach(0, 1 << 20, undefined, 0),
    () => attach(),
    () => adopt(0, 0, 'no bytes', 'behind', 0),
    () => adopt(0, 0, undefined, undefined, 0),
    () => receive(connection.id, 'no bytes'),
    () => receive(),
    () => takeOutput(1 << 20),
    () => native.applyMask(new Uint8Array(3), new Uint8Array(3))
  ]) {
    assert.throws(wrong);
  }
  const { STRING } = native.SendFlag;
  for (const id of [native.NO_CONNECTION, connection.id]) {
    assert.equal(native.ping(id, 'ping', STRING), id === native.NO_CONNECTION ? 0 : 6);
    assert.equal(
      native.pong(id, '', STRING, Buffer.from('mask')),
      id === native.NO_CONNECTION ? 0 : 12
    );
  }
  native.free(1 << 20);
  const data = pattern(1, 1001);
  const key = Buffer.from([1, 2, 3, 4]);
  native.applyMask(data.subarray(1), key);
  native.applyMask(data.subarray(1), key);
  assert.deepEqual(data, pattern(1, 1001));
  assert.equal(native.acceptKey('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  assert.equal(native.encodeHeader(2, true, false, key, 70_000).length, 14);
}

/** Runs all exercises. The returned connection is still open. */
async function exercise() {
  mistakes();
  await arrivals();
  const wss = await listen(library);
  const [ws, client] = await connect(library, wss);
  await messages(ws, client);
  await exceptions(ws, client);
  await delayed(wss);
  // One connection that is closed properly, and one that is not.
  const [, polite] = await connect(library, wss);
  polite.close(1000, 'bye');
  await once(polite, 'close');
  const [, rude] = await connect(library, wss);
  rude.terminate();
  await once(rude, 'close');
  return [wss, ws, client, ...(await compressed())];
}

/** An environment that ends while connections are open, output is queued and Node's pool is busy. */
async function end() {
  const open = await exercise();
  const [client] = open.slice(-1);
  client.send('x'.repeat(LARGE));
  for (const ws of open) if (ws instanceof WebSocket) ws.send(pattern(1, LARGE));
  open.push(...(await waiting(open[0])));
  return open;
}

/** A worker that ends by itself or is terminated. @param {'exits' | 'terminated'} how */
async function worker(how) {
  const thread = new Worker(__filename, { workerData: how });
  const ended = once(thread, 'exit');
  await Promise.race([once(thread, 'message'), ended]);
  await thread.terminate();
  const [code] = await ended;
  assert.equal(code, how === 'exits' ? 3 : 1);
}

(async () => {
  if (!isMainThread) {
    await end();
    if (workerData === 'exits') process.exit(3);
    parentPort?.postMessage('ready');
    return;
  }
  await worker('exits');
  await worker('terminated');
  await end();
  process.stdout.write(`done over ${process.env.FERROWS_TRANSPORT ?? 'auto'}\n`);
  process.exit(0);
})();
