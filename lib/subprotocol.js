'use strict';

/*
 * The Sec-WebSocket-Protocol header field (RFC 6455, section 11.3.4), public as `WebSocket.subprotocol`. Called by
 * websocket-server.js, which chooses the subprotocol.
 */

const { HeaderScanner } = require('./header-scanner');
const { createError } = require('./errors');

/**
 * Parses a list of subprotocols.
 *
 * @param {string} header value of the field
 * @returns {Set<string>} the names, in order
 * @throws {SyntaxError} unless it is a list of distinct tokens, separated by commas
 */
function parse(header) {
  const scanner = new HeaderScanner(header);
  /** @type {Set<string>} */
  const names = new Set();

  for (let isLast = false; !isLast;) {
    const name = scanner.element();
    isLast = scanner.separator(',') === '';
    if (names.has(name)) throw createError('SUBPROTOCOL_REPEATED', name);
    names.add(name);
  }

  return names;
}

module.exports = { parse };
