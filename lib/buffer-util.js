'use strict';

/*
 * Conversions between Buffers, views, ArrayBuffers and lists of them. No framing and no masking, which are the addon's.
 */

// The global one is an accessor, which costs a call on the hot path.
const { Buffer } = require('buffer');
const { isArrayBuffer } = require('util').types;

const { EMPTY_BUFFER } = require('./constants');

/** The class that `Buffer.from()` creates. Constructing it directly skips the checks of `Buffer.from()`. */
const FastBuffer =
  /** @type {new (memory: ArrayBufferLike | Uint8Array | number, offset?: number, length?: number) => Buffer} */ (
    /** @type {any} */ (Buffer)[Symbol.species]
  );

/**
 * Returns the bytes of `data`: a view of its memory if it has any, else a copy. Other threads may be writing to a
 * SharedArrayBuffer; the addon reads it by atomic operations.
 *
 * @param {any} data anything that `Buffer.from()` takes
 * @returns {Buffer}
 * @throws {TypeError} ERR_INVALID_ARG_TYPE on other data
 */
function toBuffer(data) {
  // The most frequent type first.
  if (Buffer.isBuffer(data)) return data;
  if (isArrayBuffer(data)) return new FastBuffer(data);
  if (ArrayBuffer.isView(data)) {
    return new FastBuffer(data.buffer, data.byteOffset, data.byteLength);
  }
  return Buffer.from(data);
}

/**
 * Returns an ArrayBuffer of exactly the bytes of `buffer`.
 *
 * @param {Buffer} buffer not used afterwards by the caller: its memory may be the result
 * @returns {ArrayBuffer}
 */
function toArrayBuffer(buffer) {
  const memory = /** @type {ArrayBuffer} */ (buffer.buffer);
  if (buffer.length === memory.byteLength) return memory;
  return memory.slice(buffer.byteOffset, buffer.byteOffset + buffer.length);
}

/**
 * Splits `buffer` into views of the given lengths.
 *
 * @param {Buffer} buffer
 * @param {number[]} lengths with the sum `buffer.length`
 * @returns {Buffer[]}
 */
function split(buffer, lengths) {
  let end = 0;
  return lengths.map((length) => buffer.subarray(end, (end += length)));
}

/**
 * @param {Buffer[]} list
 * @param {number} length their sum
 * @returns {Buffer} the only item of `list`, or a new Buffer
 */
function concat(list, length) {
  if (list.length === 0) return EMPTY_BUFFER;
  return list.length === 1 ? list[0] : Buffer.concat(list, length);
}

module.exports = { FastBuffer, concat, split, toArrayBuffer, toBuffer };
