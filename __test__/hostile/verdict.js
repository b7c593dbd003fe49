'use strict';

// Runs one attack of the catalog against one library and returns the result: all bytes that came back, the end of the
// connection, every event of the library under attack, and the state of other connections. Called by hostile.test.js and
// advisories.test.js. The expected result is that of ws; neither this file nor the catalog contains one.

const { OPCODE, bytesText, decode } = require('../differential/frames');
const { deflating } = require('../differential/deflate-peer');
const { record } = require('../differential/run');
const { nextIteration } = require('./event-loop');

const HEAD_END = '\r\n\r\n';
const PROBE = 'are you done';

/**
 * The environment of an attack.
 *
 * @typedef {object} Stage
 * @property {import('../differential/context').Context} t the trace
 * @property {any} raw the attacker: a RawPeer
 * @property {any} [ws] the WebSocket under attack, once it is open
 * @property {any} [peer] the attacker's DeflatePeer, with permessage-deflate
 * @property {string} [head] the request of the client under attack
 * @property {(opcode: number, data?: string | Uint8Array, options?: object) => Buffer} make a frame of the attacker
 * @property {(...segments: (string | Uint8Array)[]) => Promise<void>} write segments, each in a write of its own
 */

/**
 * @typedef {object} Attack
 * @property {string} name begins with its class in SPEC.md
 * @property {'server' | 'client' | 'both'} against
 * @property {'frames' | 'request' | 'response' | 'free'} [at] the start of the attack: after the handshake (the default), with
 *   the first byte
 *   of the request or of the response; free: `play` opens everything itself
 * @property {object} [options] of the library under attack
 * @property {string[]} [protocols] offered by a client under attack
 * @property {string} [deflate] negotiated parameters of permessage-deflate
 * @property {(stage: Stage) => (string | Uint8Array)[]} [bytes] the segments to send
 * @property {(stage: Stage) => Promise<void>} [play] in place of `bytes`
 * @property {(ws: any, stage: Stage) => void} [under] the program under attack; called with its open WebSocket
 * @property {'finish' | 'probe' | 'wait' | 'reset'} [end] the end of the attack: FIN at once (the default), FIN after a ping is
 *   answered,
 *   FIN after the other side's, or RST
 * @property {boolean} [bytewise] every byte in a segment of its own
 * @property {boolean} [blurred] the kernel decides the end of the connection (FIN or RST) and the number of bytes before it
 */

/** Writes and waits until the kernel has accepted the bytes or the connection is lost. */
function written({ socket }, bytes) {
  return new Promise((resolve) => socket.write(bytes, resolve));
}

/** @param {any} raw @param {boolean} [bytewise] */
function writer(raw, bytewise) {
  raw.socket.setNoDelay(true);
  return async (...segments) => {
    for (const segment of segments) {
      const bytes = Buffer.from(segment);
      const step = bytewise ? 1 : Math.max(bytes.length, 1);
      for (let at = 0; at < bytes.length; at += step) {
        await written(raw, bytes.subarray(at, at + step));
        await nextIteration();
      }
    }
  };
}

/** Records the bytes that the attacker read: HTTP heads with their bodies, then frames. */
function logWire({ t, peer }, bytes) {
  let rest = bytes;
  while (rest.subarray(0, 5).toString() === 'HTTP/') {
    const end = rest.indexOf(HEAD_END);
    if (end === -1) break;
    const head = rest.toString('latin1', 0, end + HEAD_END.length);
    t.logHead(head);
    const length = Number(/^Content-Length: (\d+)/im.exec(head)?.[1] ?? 0);
    const start = end + HEAD_END.length;
    if (length) t.log('wire', 'body', rest.toString('latin1', start, start + length));
    rest = rest.subarray(start + length);
  }
  for (let one = decode(rest); one; one = decode(rest)) {
    if (peer) peer.logFrames(one);
    else t.logFrames(one);
    rest = rest.subarray(one.size);
  }
  if (rest.length) t.trace.line('wire', `not a frame ${bytesText(rest)}`);
}

/** Records frames up to the response to the attacker's last ping. */
async function answered({ t, raw, peer }) {
  for (;;) {
    const one = await raw.frame();
    if (one.opcode === OPCODE.pong && String(one.payload) === PROBE) return;
    if (peer) peer.logFrames(one);
    else t.logFrames(one);
  }
}

/** Ends the connection as the attack specifies, and records all remaining bytes. */
async function conclude(attack, stage) {
  const { t, raw } = stage;
  const { end = 'finish', blurred } = attack;
  if (end === 'reset') {
    raw.reset();
    return;
  }
  if (end === 'probe') {
    await stage.write(stage.make(OPCODE.ping, PROBE));
    await answered(stage);
  }
  if (end !== 'wait') raw.finish();
  const bytes = await raw.rest();
  if (!blurred) logWire(stage, bytes);
  t.trace.line('wire', blurred ? 'ended' : raw.ended ? 'FIN' : 'RST');
  if (end === 'wait') raw.finish();
}

/**
 * Opens a well-behaved connection to every server before the attack, and uses it afterwards.
 *
 * @param {import('../differential/context').Context} t
 */
function bystandAtServer(t) {
  const listen = t.listen.bind(t);
  /** @type {(() => Promise<void>)[]} */
  const checks = [];
  /** @type {any[]} */
  const victims = [];
  t.listen = async (options) => {
    const wss = await listen(options);
    const raw = await t.sendRequest(wss._server, { target: '/bystander' });
    const { server } = await t.accepted(wss);
    await raw.head();
    server.on('message', (data) => server.send(data));
    wss.on('connection', (ws) => victims.push(ws));
    checks.push(async () => {
      raw.send(OPCODE.text, 'still here');
      t.logFrames(await raw.frame());
      t.log('server', 'connections left', wss.clients.size - 1);
    });
    return wss;
  };
  return { checks, victims };
}

/** The same for a client: another client of the same process, connected to the same server. */
function bystandAtClient(t) {
  const rawServer = t.rawServer.bind(t);
  const checks = [];
  t.rawServer = async (where) => {
    const listening = await rawServer(where);
    const ws = t.openClient(listening.url);
    const raw = await listening.next();
    raw.accept(await raw.head());
    await t.opened(ws);
    checks.push(async () => {
      ws.send('still here');
      t.logFrames(await raw.frame());
      raw.send(OPCODE.text, 'so am I');
      await t.emitted(ws, 'message');
    });
    return listening;
  };
  return { checks, victims: [] };
}

/** Opens the connections of an attack and runs it. */
async function play(attack, t) {
  const { checks, victims } = t.kind === 'server' ? bystandAtServer(t) : bystandAtClient(t);
  const stage = /** @type {Stage} */ (await opened(attack, t));
  if (stage.ws && t.kind === 'client') victims.push(stage.ws);
  if (stage.raw) {
    stage.make = stage.raw.make.bind(stage.raw);
    stage.write = writer(stage.raw, attack.bytewise);
  }
  if (stage.ws) attack.under?.(stage.ws, stage);
  if (attack.play) await attack.play(stage);
  else await stage.write(...attack.bytes(stage));
  if (stage.raw) await conclude(attack, stage);
  await t.closed(...victims);
  for (const check of checks) await check();
}

/** @returns {Promise<object>} the environment of an attack */
async function opened({ at = 'frames', options, deflate, protocols }, t) {
  if (at === 'free') return { t };
  if (at === 'request') {
    const wss = await t.listen(options);
    wss._server.prependListener('request', (request) => t.log('server', 'request', request));
    return { t, raw: await t.rawClient(wss._server), wss };
  }
  if (at === 'response') {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url, protocols, options);
    const raw = await listening.next();
    const head = await raw.head();
    t.logHead(head);
    return { t, raw, ws, head };
  }
  const open =
    deflate === undefined
      ? await t.withRawPeer(options)
      : await deflating(t, { agreed: deflate, options });
  return { t, ...open };
}

/** @param {Attack} attack @returns {('server' | 'client')[]} */
const roles = ({ against }) => (against === 'both' ? ['server', 'client'] : [against]);

/**
 * @param {Attack} attack
 * @param {'server' | 'client'} role of the library
 * @param {import('../differential/subjects').Subject} subject
 * @returns {Promise<{ lines: string[], failure: string | null }>} the result; the reason if there is none
 */
function verdict(attack, role, subject) {
  const one = { name: attack.name, kind: role, timeout: 20000, body: (t) => play(attack, t) };
  return record(one, { kind: role, [role]: subject });
}

module.exports = { roles, verdict };
