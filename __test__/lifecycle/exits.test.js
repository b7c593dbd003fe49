'use strict';

// Processes that exit within an event, with queued output: the exit code is right, no native code writes to standard error, and
// the peer gets the same bytes as from ws. Connections in other states, and many of them, are in ../transport/ends.test.js.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const test = require('node:test');
const { RawPeer, upgradeRequest } = require('../differential/raw-peer');
const { OPCODE, closeBody, decode, frameText } = require('../differential/frames');

const SUBJECT = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';
const PROGRAM = path.join(__dirname, 'children', 'exits.js');
/** Messages of a crash of native code, or of Node. */
const NATIVE = /panicked|RUST_BACKTRACE|FATAL ERROR|Assertion|Native stack trace|libuv|napi/i;

/** Bytes of the peer that cause an event. @type {Record<string, any[]>} */
const CAUSES = {
  message: [OPCODE.text, 'go'],
  callback: [OPCODE.text, 'go'],
  ping: [OPCODE.ping, 'go'],
  pong: [OPCODE.pong, 'go'],
  error: [OPCODE.text, 'broken', { rsv: 2 }],
  close: [OPCODE.close, closeBody(1000)]
};

/** The end of the connection that is a bare socket. @returns {Promise<RawPeer>} */
async function opened(child, listening, env) {
  const options = { host: '127.0.0.1', allowHalfOpen: true };
  if (env.ROLE === 'server') {
    const [port] = await once(child.stdout, 'data');
    const peer = new RawPeer(net.connect({ ...options, port: Number(port) }), false);
    peer.write(upgradeRequest());
    return peer;
  }
  const [socket] = await once(listening, 'connection');
  const peer = new RawPeer(socket, true);
  const head = await peer.head();
  if (env.EVENT === 'unexpected-response') peer.write('HTTP/1.1 403 Forbidden\r\n\r\n');
  else peer.accept(head);
  return peer;
}

/** Frames as text; of a last one that is cut off, only that fact. @param {Buffer} bytes */
function frames(bytes) {
  const all = [];
  for (let one = decode(bytes); one; one = decode(bytes)) {
    all.push(frameText(one));
    bytes = bytes.subarray(one.size);
  }
  if (bytes.length > 0) all.push('cut off');
  return all;
}

/** Runs the program with a library. @param {Record<string, string>} env */
async function run(t, env) {
  const listening = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (listening.address());
  const child = spawn(process.execPath, [PROGRAM], {
    env: { ...process.env, ...env, URL: `ws://127.0.0.1:${port}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL'
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const errors = text(child.stderr);
  const peer = await opened(child, listening, env);
  if (env.ROLE === 'server') {
    // A process that exits before it answers sends nothing.
    await peer.head().catch(() => {});
  }
  const cause = CAUSES[env.EVENT];
  if (cause && !peer.ended) peer.send(...cause);
  const bytes = await peer.rest();
  peer.finish();
  const [code, signal] = await ended;
  listening.close();
  const stderr = await errors;
  assert.doesNotMatch(stderr, NATIVE);
  if (env.ACTION === 'throw') assert.match(stderr, /^Error: thrown by a listener$/m);
  else assert.equal(stderr, '');
  return { code, signal, frames: frames(bytes) };
}

/** @type {[role: string, events: string[]][]} */
const EVENTS = [
  ['server', ['connection', 'headers', 'message', 'ping', 'pong', 'error', 'close', 'callback']],
  [
    'client',
    [
      'open',
      'upgrade',
      'unexpected-response',
      'message',
      'ping',
      'pong',
      'error',
      'close',
      'callback'
    ]
  ]
];

/** Actions, and the resulting exits. */
const OUTCOMES = {
  exit: { code: 5, signal: null },
  throw: { code: 1, signal: null },
  SIGTERM: { code: null, signal: 'SIGTERM' },
  SIGINT: { code: null, signal: 'SIGINT' },
  'SIGTERM with a handler': { code: 6, signal: null },
  'an exit listener that exits': { code: 7, signal: null },
  'no referenced socket': { code: 0, signal: null },
  'a close': { code: 0, signal: null }
};

/** @param {string} ROLE @param {string} EVENT @param {keyof typeof OUTCOMES} ACTION */
function compare(ROLE, EVENT, ACTION) {
  test(`${ACTION} in '${EVENT}' of a ${ROLE}`, async (t) => {
    const env = { ROLE, EVENT, ACTION, SIZE: 'small' };
    const expected = await run(t, { ...env, MODULE: 'ws' });
    const actual = await run(t, { ...env, MODULE: SUBJECT });
    assert.deepEqual(actual, expected);
    const { frames: _, ...outcome } = actual;
    assert.deepEqual(outcome, OUTCOMES[ACTION]);
  });
}

for (const [role, events] of EVENTS) {
  for (const event of events) compare(role, event, 'exit');
  for (const action of Object.keys(OUTCOMES).slice(1)) {
    compare(role, 'message', /** @type {keyof typeof OUTCOMES} */ (action));
  }

  // The part that the kernel takes is not specified, but everything before it must come.
  test(`exit of a ${role} with megabytes queued`, async (t) => {
    const env = { ROLE: role, EVENT: 'message', ACTION: 'exit', SIZE: 'large', MODULE: SUBJECT };
    const { code, signal, frames: got } = await run(t, env);
    assert.deepEqual({ code, signal }, OUTCOMES.exit);
    assert.deepEqual(
      got.slice(0, 3).map((line) => line.replace(' masked', '')),
      ['text "one"', 'text "two"', 'ping "three"']
    );
  });
}
