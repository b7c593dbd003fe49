'use strict';

/*
 * Checks of tokens, close codes, UTF-8 and Blobs, for the header parsers, the Sender and the Receiver. The addon validates the
 * input of connections.
 */

const { isUtf8: isValidUTF8 } = require('buffer');

const { hasBlob } = require('./constants');

const TOKEN_PATTERN = /[!#$%&'*+\-.0-9A-Z^_`a-z|~]/;

/**
 * By character code 0 to 127: 1 for token characters (RFC 9110, section 5.6.2), else 0.
 *
 * @type {number[]}
 */
const tokenChars = Array.from({ length: 128 }, (_, code) =>
  TOKEN_PATTERN.test(String.fromCharCode(code)) ? 1 : 0
);

/**
 * @param {number} code
 * @returns {boolean} true if a close frame may carry it (RFC 6455, section 7.4)
 */
function isValidStatusCode(code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

/**
 * @param {any} value
 * @returns {value is Blob} true for Blobs and Files, also those of other implementations
 */
function isBlob(value) {
  if (!hasBlob || typeof value !== 'object' || value === null) return false;
  const tag = value[Symbol.toStringTag];
  return (
    (tag === 'Blob' || tag === 'File') &&
    typeof value.type === 'string' &&
    typeof value.arrayBuffer === 'function' &&
    typeof value.stream === 'function'
  );
}

module.exports = { isBlob, isValidStatusCode, isValidUTF8, tokenChars };
