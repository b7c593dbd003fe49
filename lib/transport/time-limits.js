'use strict';

/*
 * The options `idleTimeout`, `sendPings` and `maxLifetime`: the part of JavaScript. The addon keeps the deadlines of all
 * connections, pings, and reads pongs (src/transport/timers); it comes back for connections that are to end, and for streams,
 * whose bytes it does not move. Called by websocket-server.js and client/handshake.js (options), index.js (a connection has
 * opened) and, through the transports, src/addon/thread.js (a deadline has passed).
 */

const { environment, noteAlive, thread } = require('../native');
const { noteCause } = require('../diagnostics');
const { OPEN } = require('../constants');

/** @typedef {import('../native').ConnectionOptions['timeLimits']} TimeLimits */
/** @typedef {any} Transport */

/** Actions of `Environment.checkTimers`. */
const FLUSH = 1;
const TERMINATE = 2;
const CLOSE = 3;

/** Code and reason of the close frame when the lifetime ends: those of uWebSockets.js and Bun. */
const LIFETIME_CODE = 1000;
const LIFETIME_REASON = 'please reconnect';

/** Payload of automatic pings (src/connection/heartbeat.rs). */
const HEARTBEAT_PAYLOAD = 'idle\0';

/**
 * The output of a stream when it was last pinged.
 *
 * @type {WeakMap<Transport, { end: number, sent: number, queued: number }>} `end`: running total at the end of the ping; `sent`:
 *   bytes that the stream had accepted; `queued`: bytes in the handles
 */
const pings = new WeakMap();

/**
 * @param {{ idleTimeout?: number, maxLifetime?: number, sendPings?: boolean }} options checked ones
 * @returns {TimeLimits} undefined: no limit is set
 */
function createTimeLimits({ idleTimeout = 0, maxLifetime = 0, sendPings = true }) {
  if (idleTimeout === 0 && maxLifetime === 0) return undefined;
  return { idleTimeout, maxLifetime, sendPings };
}

/** Starts the timer for a connection that has opened with time limits. @param {Transport} transport */
function watchTimeLimits(transport) {
  // Weak: a stream that a program has dropped can be collected, as without limits.
  if (transport.kind === 'stream') thread.streams.set(transport.id, new WeakRef(transport));
  thread.armTimer(environment);
}

/**
 * Acts on a connection whose deadline has passed.
 *
 * @param {Transport} transport
 * @param {number} action
 */
function applyTimeLimit(transport, action) {
  const { websocket } = transport;
  if (action === FLUSH) {
    // Output in front of the last ping.
    if (hasRead(transport)) noteAlive(transport.id);
    pings.set(transport, { end: transport.queuedTotal, ...measureOutput(transport) });
    transport.flushLater();
  } else if (action === TERMINATE) {
    if (transport.kind === 'stream' && mayBeAlive(transport)) {
      noteAlive(transport.id);
    } else {
      noteCause(websocket, 'idleTimeout');
      websocket.terminate();
    }
  } else if (action === CLOSE && websocket.readyState === OPEN) {
    noteCause(websocket, 'maxLifetime');
    websocket.close(LIFETIME_CODE, LIFETIME_REASON);
  }
}

/**
 * @param {Transport} transport over a stream whose peer is silent
 * @returns {boolean} true if reading is paused, so that the silence means nothing, or if the peer reads output in front of the ping
 */
function mayBeAlive(transport) {
  const { isDeferred, isThrottled, socket, websocket } = transport;
  if (isDeferred || isThrottled || websocket.isPaused || socket.isPaused?.()) return true;
  return hasRead(transport);
}

/**
 * @param {Transport} transport
 * @returns {boolean} true if output in front of the last ping has moved since the last look
 */
function hasRead(transport) {
  const ping = pings.get(transport);
  if (ping === undefined) return false;
  const { sent, queued } = measureOutput(transport);
  const isReading = sent < ping.end && (sent !== ping.sent || queued !== ping.queued);
  Object.assign(ping, { sent, queued });
  return isReading;
}

/** @param {Transport} transport @returns {{ sent: number, queued: number }} as in `pings` */
function measureOutput({ queuedBytes, queuedTotal, socket }) {
  const { _handle: handle } = socket;
  // A handle of TLS counts a write until all of it is out, the one below it counts bytes.
  const queued = (handle?.writeQueueSize ?? 0) + (handle?._parent?.writeQueueSize ?? 0);
  return { sent: queuedTotal - queuedBytes, queued };
}

/**
 * Notes bytes that a Receiver of the program parses.
 *
 * @param {Transport} transport
 */
function noteParsed(transport) {
  if (transport.options.timeLimits !== undefined) noteAlive(transport.id);
}

/**
 * @param {Transport} transport whose bytes a Receiver of the program parses
 * @param {Buffer} data payload of a pong
 * @returns {boolean} true if it answers an automatic ping
 */
function answersHeartbeat({ options: { timeLimits } }, data) {
  const hasHeartbeat =
    timeLimits !== undefined && timeLimits.sendPings && timeLimits.idleTimeout > 0;
  return hasHeartbeat && data.toString('latin1') === HEARTBEAT_PAYLOAD;
}

module.exports = {
  answersHeartbeat,
  applyTimeLimit,
  createTimeLimits,
  noteParsed,
  watchTimeLimits
};
