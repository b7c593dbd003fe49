'use strict';

// Direct reads: in use over TLS and over TCP, as server and as client, and stopped by each action that ends one of their conditions.
// That programs do not notice them is the subject of ../differential/scenarios/direct-reads.js, over the same actions.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const { promisify } = require('node:util');

const { WebSocket, WebSocketServer } = require('ferrows');
const transportOf = require('../transport-of.cjs');
const { ACTIONS } = require('../differential/read-actions.js');
const { frame } = require('../differential/frames.js');
const {
  CONDITIONS,
  canReadDirectly,
  readDirectly
} = require('../../lib/transport/direct-reader.js');
const { end } = require('./pairs.js');

const FILES = ['key', 'cert'].map((kind) =>
  path.join(__dirname, `../differential/fixtures/localhost.${kind}.pem`)
);
const [key, cert] = FILES.map((file) => fs.readFileSync(file));
const PAIR = { key, cert };
const run = promisify(execFile);
const ADDRESS = { host: '127.0.0.1', port: 0 };

/** A connection over TLS or TCP, whose ends are carried by streams. */
async function open(isSecure) {
  const own = { perMessageDeflate: false, transport: 'stream' };
  let wss;
  if (isSecure) {
    const server = https.createServer(PAIR).listen(ADDRESS);
    await once(server, 'listening');
    wss = new WebSocketServer({ ...own, server });
  } else {
    wss = new WebSocketServer({ ...own, ...ADDRESS });
    await once(wss, 'listening');
  }
  const url = `${isSecure ? 'wss' : 'ws'}://127.0.0.1:${wss.address().port}`;
  const client = new WebSocket(url, { ...own, rejectUnauthorized: false });
  const [[server]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
  const close = async () => {
    await end(wss, server, client);
    if (isSecure) await new Promise((resolve) => wss.options.server.close(resolve));
  };
  return { client, close, server };
}

/** Counts the direct reads of a WebSocket. */
function counted(ws) {
  const transport = transportOf(ws);
  const { receivePlaced } = transport;
  const counts = { direct: 0 };
  transport.receivePlaced = function (length) {
    counts.direct++;
    return receivePlaced.call(this, length);
  };
  return counts;
}

/** Sends a message and waits for its bytes, which a paused socket may keep. */
async function say(sender, receiver, text) {
  const { bytesRead } = receiver._socket;
  sender.send(text);
  while (receiver._socket.bytesRead === bytesRead && !receiver._socket.destroyed) {
    await new Promise(setImmediate);
  }
}

test('each condition has an action', () => {
  for (const name of Object.keys(CONDITIONS))
    assert.ok(Object.keys(ACTIONS[name]).length > 0, name);
});

/** A socket in the state of a direct read, as far as the conditions look. */
function ready(listener) {
  const { _read, emit, push, read } = /** @type {any} */ (net.Socket.prototype);
  const _readableState = {
    dataEmitted: true,
    decoder: null,
    destroyed: false,
    ended: false,
    errored: null,
    flowing: true,
    length: 0,
    sync: false
  };
  return {
    _events: { data: listener },
    _read,
    _readableState,
    emit,
    push,
    read
  };
}

/** Ways to end a condition. @type {Record<string, ((socket: any) => unknown)[]>} */
const CHANGES = {
  hasOnlyListener: [
    (socket) => (socket._events = undefined),
    (socket) => (socket._events.data = undefined),
    (socket) => (socket._events.data = [socket._events.data, () => {}])
  ],
  isFlowing: [
    (socket) => (socket._readableState.flowing = false),
    (socket) => (socket._readableState.flowing = null)
  ],
  isEmpty: [(socket) => (socket._readableState.length = 1)],
  hasNoDecoder: [(socket) => (socket._readableState.decoder = {})],
  hasEmittedData: [(socket) => (socket._readableState.dataEmitted = false)],
  isAsynchronous: [(socket) => (socket._readableState.sync = true)],
  isReadable: [
    (socket) => (socket._readableState.ended = true),
    (socket) => (socket._readableState.destroyed = true),
    (socket) => (socket._readableState.errored = new Error('errored'))
  ],
  isPushOriginal: [(socket) => (socket.push = () => {})],
  isEmitOriginal: [(socket) => (socket.emit = () => {})],
  isReadOriginal: [(socket) => (socket.read = () => {}), (socket) => (socket._read = () => {})]
};

test('a direct read needs every condition', () => {
  const listener = () => {};
  assert.equal(canReadDirectly(ready(listener), listener), true);
  assert.deepEqual(Object.keys(CHANGES), Object.keys(CONDITIONS));
  for (const [name, changes] of Object.entries(CHANGES)) {
    for (const change of changes) {
      const socket = ready(listener);
      change(socket);
      assert.equal(canReadDirectly(socket, listener), false, `${name}, ${change}`);
      for (const [other, holds] of Object.entries(CONDITIONS)) {
        assert.equal(holds(socket, socket._readableState, listener), other !== name, other);
      }
    }
  }
});

for (const isSecure of [true, false]) {
  for (const role of ['server', 'client']) {
    const where = `${isSecure ? 'TLS' : 'TCP'}, ${role}`;

    for (const [condition, actions] of Object.entries(ACTIONS)) {
      for (const [name, { act, undo, isHarmless, loses, ends }] of Object.entries(actions)) {
        test(`${condition}: ${name} (${where})`, async () => {
          const { close, ...both } = await open(isSecure);
          const ws = both[role];
          const peer = both[role === 'server' ? 'client' : 'server'];
          ws.on('error', () => {});
          const socket = ws._socket;
          socket.on('error', () => {});
          const [listener] = socket.listeners('data');
          const counts = counted(ws);
          await say(peer, ws, 'first');
          // Node's HTTP client has emitted 'data' for the response; its server reads requests past the stream.
          assert.equal(counts.direct, role === 'server' ? 0 : 1, 'the first chunk');
          await say(peer, ws, 'second');
          assert.equal(counts.direct, role === 'server' ? 1 : 2, 'the next one');
          counts.direct = 0;

          const mask = role === 'server' ? Buffer.alloc(4) : undefined;
          const raw = {
            make: (opcode, data) => frame(opcode, data, { key: mask })
          };
          const about = { log() {}, raw, socket, ws };
          act(about);
          const isStopped = condition in CONDITIONS && !isHarmless;
          if (isStopped) {
            assert.equal(CONDITIONS[condition](socket, socket._readableState, listener), false);
          }
          if (ends) {
            peer.send('third');
            await new Promise(setImmediate);
          } else if (name !== 'a full buffer') {
            await say(peer, ws, 'third');
            if (isHarmless) assert.equal(counts.direct, 1, 'the chunk after the action');
          }
          if (!isHarmless) assert.equal(counts.direct, 0, 'no direct read after the action');
          if (isStopped && !loses && !ends) {
            undo?.(about);
            await say(peer, ws, 'fourth');
            await say(peer, ws, 'fifth');
            assert.ok(counts.direct > 0, 'direct reads go on');
          }
          await close();
        });
      }
    }
  }
}

/** Counts the calls of a member of Node that was replaced before the library was loaded. */
const OBSERVER = `
  const [path, module, name] = process.argv.slice(1);
  const { prototype } = require(module).Readable ?? require(module);
  const original = prototype[name];
  let calls = 0;
  prototype[name] = function (...args) {
    if (this.encrypted && (name !== 'emit' || args[0] === 'data')) calls++;
    return original.apply(this, args);
  };
  const { WebSocket, WebSocketServer } = require(path);
  const fs = require('fs');
  const [key, cert] = process.argv.slice(4).map((file) => fs.readFileSync(file));
  const server = require('https').createServer({ key, cert });
  const wss = new WebSocketServer({ server });
  wss.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
  server.listen(0, '127.0.0.1', () => {
    const url = 'wss://127.0.0.1:' + server.address().port;
    const client = new WebSocket(url, { rejectUnauthorized: false });
    let left = 20;
    const next = () => (left-- > 0 ? client.send('x') : client.close());
    client.on('open', () => {
      calls = 0;
      next();
    });
    client.on('message', () => setImmediate(next));
    wss.on('connection', (ws) => ws.on('close', () => server.close()));
    client.on('close', () => console.log(calls >= 40));
  });
`;

for (const [module, name] of [
  ['events', 'emit'],
  ['stream', 'push'],
  ['stream', 'read']
]) {
  test(`${name}() replaced before the library is loaded sees every chunk, as with ws`, async () => {
    for (const library of ['ws', 'ferrows']) {
      const args = ['-e', OBSERVER, require.resolve(library), module, name, ...FILES];
      const { stdout } = await run(process.execPath, args);
      assert.equal(stdout, 'true\n', library);
    }
  });
}

/** As in a version of Node in which the length of a read is not found where it is now. */
const REFUTED = `
  const [path, ...files] = process.argv.slice(1);
  const { WebSocket, WebSocketServer } = require(path);
  const [key, cert] = files.map((file) => require('fs').readFileSync(file));
  const server = require('https').createServer({ key, cert });
  const wss = new WebSocketServer({ server });
  let count = 0;
  const bytesRead = { get: () => count++ };
  server.on('secureConnection', (socket) => Object.defineProperty(socket._handle, 'bytesRead', bytesRead));
  wss.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
  server.listen(0, '127.0.0.1', async () => {
    const url = 'wss://127.0.0.1:' + server.address().port;
    for (const texts of [['one', 'two', 'x'.repeat(1e5)], ['three', 'four']]) {
      const client = new WebSocket(url, { rejectUnauthorized: false });
      const got = [];
      client.on('open', () => texts.forEach((text) => client.send(text)));
      await new Promise((resolve) => client.on('message', (data) => {
        if (got.push(String(data)) === texts.length) resolve();
      }));
      console.log(got.join() === texts.join());
      client.terminate();
    }
    server.close();
    for (const ws of wss.clients) ws.terminate();
  });
`;

test('every chunk passes through the stream if the length of a read is not found', async () => {
  const { stdout } = await run(process.execPath, [
    '-e',
    REFUTED,
    require.resolve('ferrows'),
    ...FILES
  ]);
  assert.equal(stdout, 'true\ntrue\n');
});

test('a socket with the option onread of net.Socket is left alone', async () => {
  const server = net.createServer((socket) => socket.end()).listen(ADDRESS);
  await once(server, 'listening');
  const { port } = /** @type {any} */ (server.address());
  const buffer = Buffer.alloc(10);
  for (const onread of [{ buffer, callback: () => true }, undefined]) {
    const socket = /** @type {any} */ (net.connect({ host: '127.0.0.1', port, onread }));
    await once(socket, 'connect');
    assert.equal(
      readDirectly({ socket, receivePlaced() {} }, () => {}),
      onread === undefined
    );
    socket.destroy();
  }
  await new Promise((resolve) => server.close(resolve));
});
