'use strict';

/*
 * What a sender is given, in one form: a job with its bytes and how to frame them. Used by the senders.
 */

const { isUint8Array } = require('util').types;

const { EMPTY_BUFFER } = require('./constants');
const { createError } = require('./errors');
const { isBlob, isValidStatusCode } = require('./validation');
const { toBuffer } = require('./buffer-util');

/** Bytes of the payload of a control frame at most (RFC 6455, section 5.5). */
const MAX_CONTROL_PAYLOAD = 125;

/** A close code takes two of them. */
const MAX_REASON = MAX_CONTROL_PAYLOAD - 2;

/** Opcodes of RFC 6455, section 5.2. */
const Opcode = { CONTINUATION: 0x0, TEXT: 0x1, BINARY: 0x2, CLOSE: 0x8, PING: 0x9, PONG: 0xa };

/** @typedef {((error?: Error | null) => void) | undefined} Callback */

/**
 * @typedef {Object} Job
 * @property {any} data string, Buffer or Blob
 * @property {number} byteLength
 * @property {number} opcode
 * @property {boolean} fin
 * @property {boolean} mask
 * @property {boolean} readOnly whether `data` may be the user's own memory
 * @property {boolean} compress
 * @property {boolean} rsv1
 * @property {Callback} callback
 */

/**
 * @param {any} data string, Blob, or anything that `Buffer.from()` takes
 * @param {number} opcode
 * @param {boolean | undefined} mask
 * @param {Callback} callback
 * @returns {Job} of an uncompressed, unfragmented message or control frame
 * @throws {TypeError} ERR_INVALID_ARG_TYPE if `data` is of no such type
 */
function createJob(data, opcode, mask, callback) {
  let byteLength;
  let readOnly = false;
  if (typeof data === 'string') {
    byteLength = Buffer.byteLength(data);
  } else if (isBlob(data)) {
    byteLength = data.size;
  } else {
    readOnly = !Array.isArray(data);
    data = toBuffer(data);
    byteLength = data.length;
  }
  return {
    data,
    byteLength,
    opcode,
    fin: true,
    mask: !!mask,
    readOnly,
    compress: false,
    rsv1: false,
    callback
  };
}

/**
 * Body of a close frame (RFC 6455, section 5.5.1).
 *
 * @param {any} code undefined: an empty body, whatever the reason
 * @param {any} reason string or Uint8Array, up to 123 bytes
 * @returns {Buffer}
 * @throws {TypeError | RangeError}
 */
function createCloseBody(code, reason) {
  if (code === undefined) return EMPTY_BUFFER;
  if (typeof code !== 'number' || !isValidStatusCode(code)) throw createError('CLOSE_CODE');

  const isEmpty = reason === undefined || !reason.length;
  const length = isEmpty ? 0 : Buffer.byteLength(reason);
  if (length > MAX_REASON) throw createError('REASON_TOO_LONG');

  const body = Buffer.alloc(2 + length);
  body.writeUInt16BE(code, 0);
  if (!isEmpty) {
    if (typeof reason === 'string') body.write(reason, 2);
    else if (isUint8Array(reason)) body.set(reason, 2);
    else throw createError('REASON_TYPE');
  }
  return body;
}

module.exports = { MAX_CONTROL_PAYLOAD, Opcode, createCloseBody, createJob };
