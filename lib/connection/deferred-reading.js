'use strict';

/*
 * The option `deferReading`: a connection is not read before its WebSocket has a 'message' listener, so that a program may await
 * something between 'connection' and its first listener. websocket.js calls it when a connection opens, and when closing begins;
 * the transports stop reading and resume it.
 *
 * Two ordinary listeners notice the first 'message' listener, in whatever way it is added. They exist only with the option, and until then.
 */

const { kTransport } = require('../constants');
const { nextTick } = require('../node/schedule');

/**
 * True if reading of a new connection is to be deferred.
 *
 * @param {any} ws
 * @param {{ deferReading?: boolean }} settings
 * @returns {boolean}
 */
function shouldDefer(ws, { deferReading }) {
  return deferReading === true && ws.listenerCount('message') === 0;
}

/** Starts reading when the first 'message' listener is added. @param {any} ws with a transport that has not begun to read */
function startAtFirstListener(ws) {
  ws.on('newListener', onNewListener);
  // removeAllListeners() removes those of this file, too.
  ws.on('removeListener', onRemoveListener);
}

/**
 * Starts reading, once, if it was deferred.
 *
 * @param {any} ws
 */
function startReading(ws) {
  const transport = ws[kTransport];
  if (!transport.isDeferred) return;
  transport.isDeferred = false;
  ws.removeListener('newListener', onNewListener);
  ws.removeListener('removeListener', onRemoveListener);
  if (!ws.isPaused && transport.canRead) transport.resumeReading();
}

/**
 * Called before the listener is added: events are emitted later than in this tick.
 *
 * @this {any}
 * @param {string | symbol} event
 */
function onNewListener(event) {
  if (event === 'message') startReading(this);
}

/**
 * @this {any}
 * @param {string | symbol} _event
 * @param {Function} listener
 */
function onRemoveListener(_event, listener) {
  if (listener !== onNewListener || !this[kTransport].isDeferred) return;
  nextTick(restoreListeners, this);
}

/** Listens again after removeAllListeners(). @param {any} ws */
function restoreListeners(ws) {
  if (!ws[kTransport].isDeferred) return;
  ws.removeListener('removeListener', onRemoveListener);
  ws.removeListener('newListener', onNewListener);
  if (ws.listenerCount('message') > 0) startReading(ws);
  else startAtFirstListener(ws);
}

module.exports = { shouldDefer, startAtFirstListener, startReading };
