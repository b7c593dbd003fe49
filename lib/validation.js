'use strict';

/*
 * Small checks of values: tokens, close codes, UTF-8, Blobs. Used by the header parsers and the senders.
 * What arrives on a connection is validated by the addon, not here.
 */

const { isUtf8 } = require('buffer');

const { hasBlob } = require('./constants');

const TOKEN_PATTERN = /[!#$%&'*+\-.0-9A-Z^_`a-z|~]/;

/**
 * Token characters of RFC 9110, section 5.6.2, by character code 0..127: 1 if it is one, else 0.
 *
 * @type {number[]}
 */
const tokenChars = Array.from({ length: 128 }, (_, code) =>
  TOKEN_PATTERN.test(String.fromCharCode(code)) ? 1 : 0
);

/**
 * Whether a close frame may carry `code` (RFC 6455, section 7.4).
 *
 * @param {number} code
 * @returns {boolean}
 */
function isValidStatusCode(code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

/**
 * Whether `bytes` are well-formed UTF-8.
 *
 * @param {Uint8Array} bytes
 * @returns {boolean}
 */
function isValidUTF8(bytes) {
  return isUtf8(bytes);
}

/**
 * Whether `value` is a Blob or a File, of this or another implementation.
 *
 * @param {any} value
 * @returns {value is Blob}
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
