'use strict';

/*
 * What a sender is given, in one form: bytes or a string with a length. Used by the senders.
 */

const { isAnyArrayBuffer, isUint8Array } = require('util').types;

const { EMPTY_BUFFER, kFrameWriter } = require('../constants');
const { createError } = require('../errors');
const { isBlob, isValidStatusCode } = require('../validation');
const { toBuffer } = require('../buffer-util');

/** Bytes of the payload of a control frame at most (RFC 6455, section 5.5). */
const MAX_CONTROL_PAYLOAD = 125;

/** A close code takes two of them. */
const MAX_REASON = MAX_CONTROL_PAYLOAD - 2;

/** Opcodes of RFC 6455, section 5.2. */
const Opcode = { CONTINUATION: 0x0, TEXT: 0x1, BINARY: 0x2, CLOSE: 0x8, PING: 0x9, PONG: 0xa };

/** The bytes of a payload, among the options of its frame. */
const kByteLength = Symbol('kByteLength');

/**
 * @param {any} data string, Blob, or anything that `Buffer.from()` takes
 * @returns {{ payload: any, byteLength: number, readOnly: boolean }} `readOnly`: it may be memory of the program
 * @throws {TypeError} ERR_INVALID_ARG_TYPE if `data` is of no such type
 */
function measure(data) {
  if (typeof data === 'string') {
    return { payload: data, byteLength: Buffer.byteLength(data), readOnly: false };
  }
  if (isBlob(data)) return { payload: data, byteLength: data.size, readOnly: false };
  const payload = toBuffer(data);
  const readOnly = ArrayBuffer.isView(data) || isAnyArrayBuffer(data);
  return { payload, byteLength: payload.length, readOnly };
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

/**
 * Fails a call of a sender, and all that wait behind it.
 *
 * @param {any} sender
 * @param {Error} error
 * @param {((error: Error) => void) | undefined} callback of the call
 */
function failCalls(sender, error, callback) {
  // What has left before does not fail.
  sender[kFrameWriter]?.transport.settleWritten();
  if (typeof callback === 'function') callback(error);
  // A callback may add to the queue.
  for (let index = 0; index < sender._queue.length; index++) {
    const waiting = sender._queue[index].at(-1);
    if (typeof waiting === 'function') waiting(error);
  }
}

module.exports = {
  MAX_CONTROL_PAYLOAD,
  Opcode,
  createCloseBody,
  failCalls,
  kByteLength,
  measure
};
