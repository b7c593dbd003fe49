'use strict';

// The transport of a connection: the variable FERROWS_TRANSPORT, the option `transport`, and the connections that are a stream
// regardless.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { Duplex } = require('node:stream');
const test = require('node:test');
const ferrows = require('ferrows');
const { connect, describeTransport, end, listen } = require('./pairs');

const { WebSocket, WebSocketServer } = ferrows;

const EVENT_LOOP = { transport: 'NativeTransport', isOnThread: false };
const IO_THREADS = { transport: 'NativeTransport', isOnThread: true };
const STREAM = { transport: 'StreamTransport', isOnThread: false };

/** Variable, option, and the resulting transport. */
const CHOICES = [
  [undefined, undefined, EVENT_LOOP],
  [undefined, 'auto', EVENT_LOOP],
  [undefined, 'event_loop', EVENT_LOOP],
  [undefined, 'io_threads', IO_THREADS],
  [undefined, 'stream', STREAM],
  ['auto', undefined, EVENT_LOOP],
  ['event_loop', undefined, EVENT_LOOP],
  ['io_threads', undefined, IO_THREADS],
  ['stream', undefined, STREAM],
  // The variable wins.
  ['auto', 'io_threads', EVENT_LOOP],
  ['event_loop', 'io_threads', EVENT_LOOP],
  ['io_threads', 'stream', IO_THREADS],
  ['stream', 'io_threads', STREAM],
  // An invalid variable is ignored.
  ['', 'io_threads', IO_THREADS],
  ['threads', 'stream', STREAM],
  ['threads', undefined, EVENT_LOOP]
];

/** @param {string | undefined} value */
function setVariable(value) {
  if (value === undefined) delete process.env.FERROWS_TRANSPORT;
  else process.env.FERROWS_TRANSPORT = value;
}

const started = process.env.FERROWS_TRANSPORT;
test.beforeEach(() => setVariable(undefined));
test.after(() => setVariable(started));

/** Exchanges a message each way. */
async function exchange(server, client) {
  for (const [from, to] of [
    [client, server],
    [server, client]
  ]) {
    const arrived = once(to, 'message');
    from.send('hello');
    const [data, isBinary] = await arrived;
    assert.deepEqual([String(data), isBinary], ['hello', false]);
  }
}

for (const [variable, option, expected] of CHOICES) {
  test(`variable ${variable}, option ${option}`, async () => {
    setVariable(variable);
    const options = option === undefined ? {} : { transport: option };
    const wss = await listen(ferrows, options);
    const [server, client] = await connect(ferrows, wss, options);
    assert.deepEqual([describeTransport(server), describeTransport(client)], [expected, expected]);
    await exchange(server, client);
    await end(wss, server, client);
  });
}

test('each end chooses for itself', async () => {
  const wss = await listen(ferrows, { transport: 'io_threads' });
  const [server, client] = await connect(ferrows, wss, { transport: 'stream' });
  assert.deepEqual([describeTransport(server), describeTransport(client)], [IO_THREADS, STREAM]);
  await exchange(server, client);
  await end(wss, server, client);
});

for (const bad of ['threads', 'Auto', '', null, 1, true, {}]) {
  test(`the option ${JSON.stringify(bad)} is refused`, () => {
    // Also where the variable would win.
    for (const variable of [undefined, 'event_loop']) {
      setVariable(variable);
      const options = { transport: bad };
      assert.throws(() => new WebSocketServer({ noServer: true, ...options }), TypeError);
      assert.throws(() => new WebSocket('ws://127.0.0.1:1', options), TypeError);
      assert.throws(() => new WebSocket('ws://127.0.0.1:1', [], options), TypeError);
    }
  });
}

test('a Unix socket is a plain socket', { skip: process.platform === 'win32' }, async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ferrows-'));
  try {
    for (const [option, expected] of [
      ['event_loop', EVENT_LOOP],
      ['io_threads', IO_THREADS],
      ['stream', STREAM]
    ]) {
      const server = http.createServer();
      const wss = new WebSocketServer({ server, transport: option });
      const name = path.join(folder, option);
      server.listen(name);
      await once(server, 'listening');
      const client = new WebSocket(`ws+unix:${name}:/`, { transport: option });
      const [[ws]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
      assert.deepEqual([describeTransport(ws), describeTransport(client)], [expected, expected]);
      await exchange(ws, client);
      await end(wss, ws, client);
      server.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const PINS = ['auto', 'event_loop', 'io_threads', 'stream'];

test('TLS is a stream despite a pinned transport', async () => {
  const fixture = (name) => readFileSync(path.join(__dirname, '../differential/fixtures', name));
  const cert = fixture('localhost.cert.pem');
  for (const pin of PINS) {
    setVariable(pin);
    const server = https.createServer({ cert, key: fixture('localhost.key.pem') });
    const wss = new WebSocketServer({ server });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new WebSocket(`wss://127.0.0.1:${server.address().port}`, {
      ca: cert,
      servername: 'localhost'
    });
    const [[ws]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
    assert.deepEqual([describeTransport(ws), describeTransport(client)], [STREAM, STREAM], pin);
    await exchange(ws, client);
    await end(wss, ws, client);
    server.close();
  }
});

/** A program's own Duplex around a socket. @param {import('node:net').Socket} socket */
function wrap(socket) {
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk, encoding, callback) => socket.write(chunk, encoding, callback),
    final: (callback) => socket.end(callback),
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    }
  });
  socket.on('data', (chunk) => {
    if (!duplex.push(chunk)) socket.pause();
  });
  socket.on('end', () => duplex.push(null));
  socket.on('error', (error) => duplex.destroy(error));
  socket.on('close', () => duplex.destroy());
  return duplex;
}

test('any other Duplex is a stream despite a pinned transport', async () => {
  for (const pin of PINS) {
    setVariable(pin);
    const server = http.createServer();
    const wss = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, wrap(socket), head, (ws) => wss.emit('connection', ws, request));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const client = new WebSocket(`ws://127.0.0.1:${port}`, {
      createConnection: () => wrap(net.connect(port, '127.0.0.1'))
    });
    const [[ws]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
    assert.deepEqual([describeTransport(ws), describeTransport(client)], [STREAM, STREAM], pin);
    await exchange(ws, client);
    await end(wss, ws, client);
    server.close();
  }
});

test('a socket with listeners is a stream despite a pinned transport', async () => {
  for (const pin of PINS) {
    setVariable(pin);
    const wss = await listen(ferrows);
    wss.on('headers', (_headers, request) => request.socket.on('data', () => {}));
    const [server, client] = await connect(ferrows, wss);
    assert.equal(describeTransport(server).transport, 'StreamTransport', pin);
    await exchange(server, client);
    await end(wss, server, client);
  }
});
