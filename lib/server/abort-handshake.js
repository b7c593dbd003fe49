'use strict';

/*
 * How a server turns an opening handshake down: one HTTP response, then the end of the socket. Only
 * websocket-server.js uses it.
 */

const http = require('http');

const { createError } = require('../errors');

/** @typedef {import('stream').Duplex} Duplex */

/**
 * Answers and closes the socket when the answer has been flushed.
 *
 * @param {Duplex} socket
 * @param {number} status
 * @param {string} [message] body; the text of the status if empty
 * @param {Record<string, any>} [headers] over the usual ones
 */
function rejectHandshake(socket, status, message, headers) {
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
 * As rejectHandshake(), unless somebody listens to `wsClientError`: the socket is then his.
 *
 * @param {import('events').EventEmitter} server
 * @param {import('http').IncomingMessage} req
 * @param {Duplex} socket
 * @param {number} status
 * @param {string} message
 * @param {Record<string, any>} [headers]
 */
function rejectRequest(server, req, socket, status, message, headers) {
  if (server.listenerCount('wsClientError') > 0) {
    server.emit('wsClientError', createError('CLIENT_ERROR', message), socket, req);
  } else {
    rejectHandshake(socket, status, message, headers);
  }
}

module.exports = { rejectHandshake, rejectRequest };
