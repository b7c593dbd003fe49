'use strict';

/*
 * Refusal of an opening handshake by a server: one HTTP response, then the end of the socket. Used by websocket-server.js; node-responses.js formats refusals without a socket.
 */

const http = require('http');

const { LazySocket, isUpgradePending } = require('../socket/lazy-socket');
const { createError } = require('../errors');
const { findObserver } = require('./fallback');
const { hasOwnMethods } = require('../socket/replaced-members');

/** @typedef {import('stream').Duplex} Duplex */

/**
 * Sends a response, and destroys the socket when it has been flushed.
 *
 * @param {Duplex} socket
 * @param {number} status
 * @param {string} [message] body; by default the reason phrase of the status
 * @param {Record<string, any>} [headers] added to the default ones, or in their place
 */
function abortHandshake(socket, status, message, headers) {
  const response = formatResponse(status, message, headers);
  if (isUnobserved(socket) && LazySocket.refuse(socket, response)) return;
  socket.once('finish', () => socket.destroy());
  socket.end(response);
}

/** @param {any} socket any Duplex @returns {boolean} true if no program could tell whether Node ends it or the addon */
function isUnobserved(socket) {
  if (!isUpgradePending(socket) || hasOwnMethods(socket)) return false;
  const { server, snapshot } = LazySocket.stateOf(socket).listenHandle;
  return findObserver(server, snapshot, 'refusal') === null;
}

/**
 * @param {number} status
 * @param {string} [message] body; by default the reason phrase of the status
 * @param {Record<string, any>} [headers] added to the default ones, or in their place
 * @returns {string} the response
 */
function formatResponse(status, message, headers) {
  const reason = http.STATUS_CODES[status];
  const body = message || reason || '';
  const fields = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(body),
    ...headers
  }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${reason}`, ...fields, '', body].join('\r\n');
}

/**
 * Emits `wsClientError` if it has a listener, which then owns the socket. Otherwise abortHandshake().
 *
 * @param {import('events').EventEmitter} server
 * @param {import('http').IncomingMessage} req
 * @param {Duplex} socket
 * @param {number} status
 * @param {string} message
 * @param {Record<string, any>} [headers]
 */
function abortOrEmitClientError(server, req, socket, status, message, headers) {
  if (server.listenerCount('wsClientError') > 0) {
    server.emit('wsClientError', createError('CLIENT_ERROR', message), socket, req);
  } else {
    abortHandshake(socket, status, message, headers);
  }
}

module.exports = { abortHandshake, abortOrEmitClientError, formatResponse };
