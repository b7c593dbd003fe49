'use strict';

/*
 * Refusal of an opening handshake by a server: one HTTP response, then the end of the socket. Only websocket-server.js uses it.
 */

const http = require('http');

const { createError } = require('../errors');

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
  const reason = http.STATUS_CODES[status];
  const body = message || reason || '';
  const fields = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(body),
    ...headers
  }).map(([name, value]) => `${name}: ${value}`);

  socket.once('finish', () => socket.destroy());
  socket.end([`HTTP/1.1 ${status} ${reason}`, ...fields, '', body].join('\r\n'));
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

module.exports = { abortHandshake, abortOrEmitClientError };
