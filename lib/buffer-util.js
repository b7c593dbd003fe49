'use strict';

/*
 * Conversions between the kinds of data that users hand in or ask for. No framing and no masking: that
 * is the addon's.
 */

// The global one is an accessor, which the hot path need not call.
const { Buffer } = require('buffer');
const { isArrayBuffer } = require('util').types;

const { EMPTY_BUFFER } = require('./constants');

/** What `Buffer` makes by itself; constructing it directly skips the checks of `Buffer.from()`. */
const FastBuffer =
  /** @type {new (memory: ArrayBufferLike | Uint8Array | number, offset?: number, length?: number) => Buffer} */ (
    /** @type {any} */ (Buffer)[Symbol.species]
  );

/**
 * The bytes of `data`: a view of the same memory where there is one, else a copy. Memory that other threads share is
 * read carefully by the addon; who reads it here sees whatever is there.
 *
 * @param {any} data anything that `Buffer.from()` takes
 * @returns {Buffer}
 * @throws {TypeError} ERR_INVALID_ARG_TYPE if it cannot be converted
 */
function toBuffer(data) {
  // First what is sent most.
  if (Buffer.isBuffer(data)) return data;
  if (isArrayBuffer(data)) return new FastBuffer(data);
  if (ArrayBuffer.isView(data)) {
    return new FastBuffer(data.buffer, data.byteOffset, data.byteLength);
  }
  return Buffer.from(data);
}

/**
 * An ArrayBuffer of exactly the bytes of `buffer`.
 *
 * @param {Buffer} buffer given up by the caller: its memory may become the result
 * @returns {ArrayBuffer}
 */
function toArrayBuffer(buffer) {
  const memory = /** @type {ArrayBuffer} */ (buffer.buffer);
  if (buffer.length === memory.byteLength) return memory;
  return memory.slice(buffer.byteOffset, buffer.byteOffset + buffer.length);
}

/**
 * Cuts `buffer` into views of the given lengths.
 *
 * @param {Buffer} buffer
 * @param {number[]} lengths they add up to `buffer.length`
 * @returns {Buffer[]}
 */
function split(buffer, lengths) {
  let end = 0;
  return lengths.map((length) => buffer.subarray(end, (end += length)));
}

/**
 * @param {Buffer[]} list
 * @param {number} length of all together
 * @returns {Buffer} the only one, or a new one
 */
function concat(list, length) {
  if (list.length === 0) return EMPTY_BUFFER;
  return list.length === 1 ? list[0] : Buffer.concat(list, length);
}

module.exports = { FastBuffer, concat, split, toArrayBuffer, toBuffer };
