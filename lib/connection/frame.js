'use strict';

/*
 * Frames made outside a connection, for the public Sender. Header and masking are the addon's work; this
 * file only decides which buffers the frame consists of.
 */

const { randomFillSync } = require('crypto');

const { applyMask, encodeHeader } = require('../native');
const { kByteLength } = require('./send-job');

const KEY_LENGTH = 4;

/** Random bytes for masking keys, drawn many at a time. */
const pool = Buffer.alloc(KEY_LENGTH * 2048);
let used = pool.length;

/**
 * @typedef {Object} FrameOptions
 * @property {boolean} [fin]
 * @property {((key: Buffer) => void) | undefined} [generateMask] fills the masking key
 * @property {boolean} [mask]
 * @property {Buffer | undefined} [maskBuffer] where the key is put
 * @property {number} opcode
 * @property {boolean} [readOnly] whether the payload must be left as it is
 * @property {boolean | undefined} [rsv1]
 */

/**
 * Frames a payload (RFC 6455, section 5.2).
 *
 * @param {Buffer | string} data
 * @param {FrameOptions} options
 * @returns {(Buffer | string)[]} one Buffer if there is no payload or it had to be masked in a copy, else header and
 *   payload; a payload that is not read-only is masked in place
 */
function frame(data, options) {
  const key = options.mask ? maskingKey(options) : undefined;
  const isMasked = key !== undefined && key.readUInt32BE(0) !== 0;
  const byteLength = /** @type {any} */ (options)[kByteLength];
  if (typeof data === 'string' && byteLength > 0 && !isMasked) {
    // The stream that it is written to turns it into bytes.
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
 * @returns {Buffer}
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
 * Whether a frame made by frame() ends a message: a data frame with FIN.
 *
 * @param {Uint8Array} header its first bytes
 * @returns {boolean}
 */
function endsMessage(header) {
  // FIN, and no opcode of a control frame (RFC 6455, section 5.2).
  return /** @type {number} */ (header[0] & 0x88) === 0x80;
}

module.exports = { endsMessage, frame };
