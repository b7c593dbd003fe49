'use strict';

/*
 * WebSocket frames built in JavaScript (RFC 6455, section 5): opcodes, limits, close frame payloads, and frame(), which the
 * public Sender uses. The addon builds the frames of connections; sender.js decides their order.
 */

const { randomFillSync } = require('crypto');
const { isAnyArrayBuffer, isUint8Array } = require('util').types;

const { EMPTY_BUFFER } = require('../constants');
const { applyMask, encodeHeader } = require('../native');
const { createError } = require('../errors');
const { isBlob, isValidStatusCode } = require('../validation');
const { toBuffer } = require('../buffer-util');

/** Opcodes of RFC 6455, section 5.2. */
const Opcode = { CONTINUATION: 0x0, TEXT: 0x1, BINARY: 0x2, CLOSE: 0x8, PING: 0x9, PONG: 0xa };

/** Maximum payload length of a control frame in bytes (RFC 6455, section 5.5). */
const MAX_CONTROL_PAYLOAD = 125;

/** Maximum length of a close reason in bytes: the status code takes two. */
const MAX_REASON = MAX_CONTROL_PAYLOAD - 2;

/** Length of a masking key in bytes. */
const KEY_LENGTH = 4;

/** Payload length in bytes, among the options of a frame. Under a symbol because programs see these options. */
const kByteLength = Symbol('kByteLength');

/** Random masking keys, drawn many at a time. */
const pool = Buffer.alloc(KEY_LENGTH * 2048);
let used = pool.length;

/**
 * @typedef {Object} FrameOptions
 * @property {boolean} [fin]
 * @property {((key: Buffer) => void) | undefined} [generateMask] fills in the masking key
 * @property {boolean} [mask]
 * @property {Buffer | undefined} [maskBuffer] receives the key of `generateMask`
 * @property {number} opcode
 * @property {boolean} [readOnly] true: mask a copy of the payload, not the payload itself
 * @property {boolean | undefined} [rsv1]
 */

/**
 * Converts data of a program to a payload, and measures it.
 *
 * @param {any} data string, Blob, or anything that `Buffer.from()` takes
 * @returns {{ payload: any, byteLength: number, readOnly: boolean }} `readOnly`: `payload` may be the program's memory
 * @throws {TypeError} ERR_INVALID_ARG_TYPE on other data
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
 * @param {any} sender
 * @param {number} opcode
 * @param {number} byteLength
 * @param {boolean | undefined} mask
 * @param {boolean} readOnly true if the payload may be the program's memory
 * @returns {any} FrameOptions of an uncompressed, unfragmented frame
 */
function createFrameOptions(sender, opcode, byteLength, mask, readOnly) {
  return {
    [kByteLength]: byteLength,
    fin: true,
    generateMask: sender._generateMask,
    mask,
    maskBuffer: sender._maskBuffer,
    opcode,
    readOnly,
    rsv1: false
  };
}

/**
 * Frames a payload (RFC 6455, section 5.2).
 *
 * @param {Buffer | string} data
 * @param {FrameOptions} options
 * @returns {(Buffer | string)[]} one Buffer if the payload is empty or was masked in a copy, else header and payload; a
 *   payload that is not read-only is masked in place
 */
function frame(data, options) {
  const key = options.mask ? maskingKey(options) : undefined;
  const isMasked = key !== undefined && key.readUInt32BE(0) !== 0;
  const byteLength = /** @type {any} */ (options)[kByteLength];
  if (typeof data === 'string' && byteLength > 0 && !isMasked) {
    // The stream encodes the string when it is written.
    const { fin, opcode, rsv1 } = options;
    return [encodeHeader(opcode, !!fin, !!rsv1, key, byteLength), data];
  }
  const payload = typeof data === 'string' ? Buffer.from(data) : data;
  const isReadOnly = typeof data !== 'string' && options.readOnly;
  const header = encodeHeader(options.opcode, !!options.fin, !!options.rsv1, key, payload.length);

  if (payload.length === 0) return [header];
  if (!isMasked) return [header, payload];
  if (!isReadOnly) {
    applyMask(payload, /** @type {Buffer} */ (key));
    return [header, payload];
  }

  const merged = Buffer.allocUnsafe(header.length + payload.length);
  merged.set(header);
  merged.set(payload, header.length);
  applyMask(merged.subarray(header.length), /** @type {Buffer} */ (key));
  return [merged];
}

/**
 * @param {FrameOptions} options
 * @returns {Buffer} the key of the program's `generateMask`, or a random one
 */
function maskingKey({ generateMask, maskBuffer }) {
  if (generateMask) {
    const key = maskBuffer ?? Buffer.alloc(KEY_LENGTH);
    generateMask(key);
    return key;
  }
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.subarray(used, (used += KEY_LENGTH));
}

/**
 * Builds the payload of a close frame (RFC 6455, section 5.5.1).
 *
 * @param {any} code undefined: an empty payload, whatever the reason
 * @param {any} reason string or Uint8Array, at most 123 bytes
 * @returns {Buffer}
 * @throws {TypeError} on a code that must not be sent, or a reason of another type
 * @throws {RangeError} on a longer reason
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
 * @param {Uint8Array} header of a frame
 * @returns {boolean} true if the frame ends a message: a data frame with FIN set
 */
function endsMessage(header) {
  // Bit 3 of the opcode marks control frames (RFC 6455, section 5.2).
  return /** @type {number} */ (header[0] & 0x88) === 0x80;
}

module.exports = {
  MAX_CONTROL_PAYLOAD,
  Opcode,
  createCloseBody,
  createFrameOptions,
  endsMessage,
  frame,
  kByteLength,
  measure
};
