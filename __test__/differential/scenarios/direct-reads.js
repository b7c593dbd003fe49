'use strict';

// Reads past the stream of a socket: each action of ../read-actions.js, over TLS, between messages and in a listener: 3.1, R3.

const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');
const { executionAsyncResource } = require('node:async_hooks');
const { Duplex } = require('node:stream');
const { once } = require('node:events');
const { ACTIONS } = require('../read-actions');
const { OPCODE } = require('../frames');
const { RawPeer, upgradeRequest } = require('../raw-peer');
const { scenario } = require('../run');

const fixture = (name) => fs.readFileSync(path.join(__dirname, '../fixtures', name));
const PAIR = { key: fixture('localhost.key.pem'), cert: fixture('localhost.cert.pem') };
const TRUSTING = { rejectUnauthorized: false };

/** A turn of the event loop, in which sockets are polled. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A Duplex over a plain socket that can hold output back, to send several TLS records in one segment. */
class Gate extends Duplex {
  #held = null;

  /** @param {net.Socket} socket */
  constructor(socket) {
    super();
    this.socket = socket;
    socket.on('data', (chunk) => this.push(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', () => {});
    socket.on('close', () => this.destroy());
  }

  hold() {
    this.#held = [];
  }

  release() {
    this.socket.write(Buffer.concat(this.#held));
    this.#held = null;
  }

  _read() {}

  _write(chunk, encoding, callback) {
    if (this.#held) this.#held.push(chunk);
    else this.socket.write(chunk);
    callback();
  }

  _final(callback) {
    this.socket.end(callback);
  }

  _destroy(err, callback) {
    this.socket.destroy();
    callback(err);
  }
}

/** As Context.withRawPeer(), over TLS. `gate`: holds the bytes of the peer back. */
async function withSecurePeer(t) {
  if (t.kind === 'server') {
    const server = await t.http(undefined, { createServer: https.createServer, options: PAIR });
    const wss = await t.listen({ server });
    const gate = new Gate(net.connect({ host: '127.0.0.1', port: server.address().port }));
    const socket = tls.connect({ ...TRUSTING, socket: gate });
    t.defer(() => socket.destroy());
    await once(socket, 'secureConnect');
    const raw = new RawPeer(socket, false);
    raw.write(upgradeRequest());
    const { server: ws } = await t.accepted(wss);
    await raw.head();
    return { gate, raw, ws, lane: 'server' };
  }
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.defer(() => server.close());
  t.hidePort(server.address().port);
  const connected = once(server, 'connection');
  const ws = t.openClient(t.url(server, 'wss'), undefined, TRUSTING);
  const gate = new Gate((await connected)[0]);
  const secureContext = tls.createSecureContext(PAIR);
  const socket = new tls.TLSSocket(gate, { isServer: true, secureContext });
  t.defer(() => socket.destroy());
  const raw = new RawPeer(socket, true);
  const opened = t.opened(ws);
  raw.accept(await raw.head());
  await opened;
  return { gate, raw, ws, lane: 'client' };
}

/** The readable side as a program can see it. */
function stateOf(socket) {
  return [
    socket.bytesRead,
    socket.readableFlowing,
    socket.readableLength,
    socket.readableDidRead,
    socket.readableEncoding,
    socket.readableEnded,
    socket.isPaused(),
    socket.destroyed,
    ['data', 'readable', 'end'].map((event) => socket.listenerCount(event)).join()
  ];
}

/**
 * Two messages, the action, two messages.
 *
 * @param {any} t
 * @param {import('../read-actions').Action} action
 * @param {boolean} isWithin true: in the listener of the second message
 */
async function run(t, { act, undo, loses, ends }, isWithin) {
  const { raw, ws, lane } = await withSecurePeer(t);
  const socket = ws._socket;
  const { _handle: handle } = socket;
  const log = (event, ...args) => t.log(lane, event, ...args);
  const about = { log, raw, socket, ws };
  socket.on('error', (err) => log('socket error', err));
  socket.on('end', () => log('socket end'));

  ws.on('message', (data) => {
    log('state', ...stateOf(socket), executionAsyncResource() === handle);
    queueMicrotask(() => log('microtask'));
    process.nextTick(() => log('tick'));
    if (isWithin && String(data) === 'two') act(about);
  });
  /** Sends a message and waits until its bytes have been read, or the connection has ended. */
  const say = async (text) => {
    const bytes = raw.make(OPCODE.text, text);
    const end = socket.bytesRead + bytes.length;
    const isStopped = socket.readableLength > socket.readableHighWaterMark;
    raw.write(bytes);
    while (socket.bytesRead < end && !socket.destroyed && !isStopped && socket._handle)
      await turn();
    await turn();
    log('said', text, ...stateOf(socket));
  };

  log('opened', ...stateOf(socket));
  await say('one');
  await say('two');
  if (!isWithin) act(about);
  log('acted', ...stateOf(socket));
  if (ends) {
    if (!socket.destroyed && !socket.readableEnded) raw.send(OPCODE.text, 'three');
    raw.finish();
    await t.closed(ws);
    log('ended', ...stateOf(socket));
    return;
  }
  await say('three');
  undo?.(about);
  await turn();
  log('undone', ...stateOf(socket));
  await say('four');
  if (loses) {
    ws.terminate();
    await t.closed(ws);
    return;
  }
  raw.close(1000, 'bye');
  await raw.framesThrough(OPCODE.close);
  raw.finish();
  await t.closed(ws);
  log('closed', ...stateOf(socket));
}

for (const [condition, actions] of Object.entries(ACTIONS)) {
  for (const [name, action] of Object.entries(actions)) {
    for (const isWithin of [false, true]) {
      const place = isWithin ? 'in a listener' : 'between messages';
      scenario(`3.1 ${condition} over TLS: ${name} ${place}`, ['server', 'client'], (t) =>
        run(t, action, isWithin)
      );
    }
  }
}

/** Sends messages in TLS records of their own, all in one segment. */
async function sendTogether({ gate, raw }, ...texts) {
  gate.hold();
  for (const text of texts) {
    await new Promise((resolve) => raw.socket.write(raw.make(OPCODE.text, text), resolve));
  }
  gate.release();
}

scenario('R3 TLS records of one segment', ['server', 'client'], async (t) => {
  const ends = await withSecurePeer(t);
  const { raw, ws, lane } = ends;
  const log = (event, ...args) => t.log(lane, event, ...args);
  ws.on('message', (data) => {
    const text = String(data);
    queueMicrotask(() => log('microtask', text));
    process.nextTick(() => {
      log('tick', text);
      queueMicrotask(() => log('microtask of a tick', text));
    });
    Promise.resolve().then(() => process.nextTick(() => log('tick of a promise', text)));
    setImmediate(() => log('immediate', text));
    ws.send(`reply to ${text}`, () => log('sent', text));
  });
  await sendTogether(ends, 'one', 'two', 'three');
  await t.emitted(ws, 'message', 3);
  t.logFrames(await raw.frame(), await raw.frame(), await raw.frame());
  await sendTogether(ends, 'four', 'five');
  await t.emitted(ws, 'message', 5);
  t.logFrames(await raw.frame(), await raw.frame());
  raw.close(1000);
  await raw.framesThrough(OPCODE.close);
  raw.finish();
  await t.closed(ws);
});

for (const method of ['pause', 'terminate', 'close']) {
  scenario(`R3 TLS records of one segment, ${method}()`, ['server', 'client'], async (t) => {
    const ends = await withSecurePeer(t);
    const { raw, ws } = ends;
    ws.on('message', (data) => {
      if (String(data) !== 'two') return;
      ws[method]();
      if (method === 'pause') setImmediate(() => setImmediate(() => ws.resume()));
    });
    await sendTogether(ends, 'one', 'two', 'three', 'four');
    if (method === 'pause') await t.emitted(ws, 'message', 4);
    if (method !== 'terminate') {
      raw.close(1000);
      t.logFrames(...(await raw.framesThrough(OPCODE.close)));
    }
    raw.finish();
    await t.closed(ws);
  });
}
