'use strict';

/*
 * Conversions between the kinds of data that users hand in or ask for. No framing and no masking: that
 * is the addon's.
 */

const { isArrayBuffer } = require('util').types;

/** What `Buffer` makes by itself; constructing it directly skips the checks of `Buffer.from()`. */
const FastBuffer =
  /** @type {new (buffer: ArrayBufferLike, offset?: number, length?: number) => Buffer} */ (
    /** @type {any} */ (Buffer)[Symbol.species]
  );

/**
 * The bytes of `data`: a view of the same memory where there is one that only this thread can change, else a copy.
 *
 * @param {any} data anything that `Buffer.from()` takes
 * @returns {Buffer}
 * @throws {TypeError} ERR_INVALID_ARG_TYPE if it cannot be converted
 */
function toBuffer(data) {
  if (isArrayBuffer(data)) return new FastBuffer(data);
  let buffer = data;
  if (!Buffer.isBuffer(data)) {
    buffer = ArrayBuffer.isView(data)
      ? new FastBuffer(data.buffer, data.byteOffset, data.byteLength)
      : Buffer.from(data);
  }
  // Only shared memory can grow, in whatever realm it was made; the addon must not read it while others write.
  return buffer.buffer.growable === undefined ? buffer : Buffer.from(buffer);
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

module.exports = { FastBuffer, split, toArrayBuffer, toBuffer };
