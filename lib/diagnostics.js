'use strict';

/*
 * The channels of node:diagnostics_channel that tell of connections. Who subscribes gets the WebSocket itself; while nobody
 * does, nothing is made to be told. Called where the things happen; their order and arguments are doc/api.md's.
 */

const { channel } = require('diagnostics_channel');

/** A handshake is over: `{ websocket, server, request }`. */
const open = channel('ferrows:connection:open');
/** A connection that was open has closed: `{ websocket, code, reason }`. */
const close = channel('ferrows:connection:close');
/** Something has gone wrong, in the handshake or after it: `{ websocket, error }`. */
const failed = channel('ferrows:connection:error');

/**
 * @param {any} websocket
 * @param {any} [server] the WebSocketServer, of an accepted one
 * @param {import('http').IncomingMessage} [request] the request, of an accepted one
 */
function publishOpen(websocket, server, request) {
  if (open.hasSubscribers) open.publish({ websocket, server, request });
}

/**
 * @param {any} websocket
 * @param {number} code
 * @param {Buffer} reason
 */
function publishClose(websocket, code, reason) {
  if (close.hasSubscribers) close.publish({ websocket, code, reason });
}

/**
 * @param {any} websocket
 * @param {Error} error
 */
function publishError(websocket, error) {
  if (failed.hasSubscribers) failed.publish({ websocket, error });
}

module.exports = { publishClose, publishError, publishOpen };
