'use strict';

// Reads past the stream of a socket: each action of ../read-actions.js, over TLS and TCP, between messages and in a listener: 3.1.

const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const tls = require('node:tls');
const { executionAsyncResource } = require('node:async_hooks');
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

/** As Context.withRawPeer(), over TLS. */
async function withSecurePeer(t) {
  if (t.kind === 'server') {
    const server = await t.http(undefined, { createServer: https.createServer, options: PAIR });
    const wss = await t.listen({ server });
    const socket = tls.connect({ ...TRUSTING, host: '127.0.0.1', port: server.address().port });
    t.defer(() => socket.destroy());
    socket.setNoDelay();
    await once(socket, 'secureConnect');
    const raw = new RawPeer(socket, false);
    raw.write(upgradeRequest());
    const { server: ws } = await t.accepted(wss);
    await raw.head();
    return { raw, ws, lane: 'server' };
  }
  const server = tls.createServer(PAIR);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.defer(() => server.close());
  t.hidePort(server.address().port);
  const connected = once(server, 'secureConnection');
  const ws = t.openClient(t.url(server, 'wss'), undefined, TRUSTING);
  const [socket] = await connected;
  t.defer(() => socket.destroy());
  const raw = new RawPeer(socket, true);
  const opened = t.opened(ws);
  raw.accept(await raw.head());
  await opened;
  return { raw, ws, lane: 'client' };
}

/** @type {Record<string, (t: any) => Promise<{ raw: any, ws: any, lane: string }>>} */
const CARRIERS = {
  TLS: withSecurePeer,
  TCP: (t) => t.withRawPeer({ transport: 'stream' })
};

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
 * @param {(t: any) => Promise<{ raw: any, ws: any, lane: string }>} open
 * @param {import('../read-actions').Action} action
 * @param {boolean} isWithin true: in the listener of the second message
 */
async function run(t, open, { act, undo, loses, ends }, isWithin) {
  const { raw, ws, lane } = await open(t);
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

for (const [carrier, open] of Object.entries(CARRIERS)) {
  for (const [condition, actions] of Object.entries(ACTIONS)) {
    for (const [name, action] of Object.entries(actions)) {
      for (const isWithin of [false, true]) {
        const place = isWithin ? 'in a listener' : 'between messages';
        scenario(`3.1 ${condition} over ${carrier}: ${name} ${place}`, ['server', 'client'], (t) =>
          run(t, open, action, isWithin)
        );
      }
    }
  }
}
