'use strict';

/*
 * The channels of node:diagnostics_channel: `ferrows:connection:open`, `:close` and `:error`. Published where the events are
 * emitted; without a subscriber no message is created. doc/api.md documents order and properties.
 */

const { channel } = require('diagnostics_channel');

const open = channel('ferrows:connection:open');
const close = channel('ferrows:connection:close');
const failed = channel('ferrows:connection:error');

/**
 * Publishes a completed opening handshake.
 *
 * @param {any} websocket
 * @param {any} [server] the WebSocketServer of an accepted connection
 * @param {import('http').IncomingMessage} [request] of an accepted connection
 */
function publishOpen(websocket, server, request) {
  if (open.hasSubscribers) open.publish({ websocket, server, request });
}

/**
 * Causes of the end of connections, other than the peer and the program. @type {WeakMap<object, string>}
 */
const causes = new WeakMap();

/**
 * Notes why a connection ends; the first cause is published with its end.
 *
 * @param {any} websocket
 * @param {'idleTimeout' | 'maxLifetime' | 'closeTimeout' | 'maxBackpressure' | 'rateLimit'} cause the limit that was exceeded
 */
function noteCause(websocket, cause) {
  if (!causes.has(websocket)) causes.set(websocket, cause);
}

/**
 * Publishes the end of a connection that was open.
 *
 * @param {any} websocket
 * @param {number} code
 * @param {Buffer} reason
 */
function publishClose(websocket, code, reason) {
  if (!close.hasSubscribers) return;
  const cause = causes.get(websocket);
  close.publish(cause ? { websocket, code, reason, cause } : { websocket, code, reason });
}

/**
 * Publishes an error of the opening handshake or of an open connection.
 *
 * @param {any} websocket
 * @param {Error} error
 */
function publishError(websocket, error) {
  if (failed.hasSubscribers) failed.publish({ websocket, error });
}

module.exports = { noteCause, publishClose, publishError, publishOpen };
