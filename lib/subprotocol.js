'use strict';

/*
 * The Sec-WebSocket-Protocol header field (RFC 6455, section 11.3.4), public as `WebSocket.subprotocol`.
 */

const { createError } = require('./errors');
const { tokenChars } = require('./validation');

const SPACE = 0x20;
const TAB = 0x09;
const COMMA = 0x2c;

/**
 * Parses a list of subprotocols in one pass.
 *
 * @param {string} header value of the field
 * @returns {Set<string>} the names, in order
 * @throws {SyntaxError} unless it is a list of distinct tokens, separated by commas
 */
function parse(header) {
  const names = new Set();
  const { length } = header;
  let index = 0;

  for (;;) {
    // White space is allowed before a name, except the first (as in ws).
    while (index > 0 && isBlank(header, index)) index++;

    const start = index;
    while (tokenChars[header.charCodeAt(index)] === 1) index++;
    const name = header.slice(start, index);

    const blank = index;
    while (name !== '' && isBlank(header, index)) index++;

    if (index === length) {
      // The field must end with a name, not a comma or white space.
      if (name === '' || blank !== index) throw createError('UNEXPECTED_END');
    } else if (name === '' || header.charCodeAt(index) !== COMMA) {
      throw createError('UNEXPECTED_CHARACTER', index);
    }

    if (names.has(name)) throw createError('SUBPROTOCOL_REPEATED', name);
    names.add(name);

    if (index === length) return names;
    index++;
  }
}

/**
 * @param {string} text
 * @param {number} index
 * @returns {boolean}
 */
function isBlank(text, index) {
  const code = text.charCodeAt(index);
  return code === SPACE || code === TAB;
}

module.exports = { parse };
