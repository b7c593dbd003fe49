'use strict';

// WebSocket frames (RFC 6455, section 5.2) for peers that are plain sockets. Independent of ws and ferrows on purpose: a raw
// peer must be able to send invalid frames. Used by raw-peer.js and the scenarios; sockets do not belong here.

const { createHash } = require('node:crypto');

/** Opcodes of RFC 6455, section 5.2. */
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

const NAMES = new Map(Object.entries(OPCODE).map(([name, opcode]) => [opcode, name]));

/** The masking key of raw clients. */
const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/**
 * Exclusive-or with a masking key (RFC 6455, section 5.3), into a new Buffer.
 *
 * @param {Buffer} payload
 * @param {Buffer} key four bytes
 * @returns {Buffer}
 */
function masked(payload, key) {
  const out = Buffer.from(payload);
  for (let i = 0; i < out.length; i++) out[i] ^= key[i & 3];
  return out;
}

/**
 * One frame. Nothing is validated, so that invalid frames can be made.
 *
 * @param {number} opcode
 * @param {string | Uint8Array} [data] payload, a string as UTF-8
 * @param {{ fin?: boolean, rsv?: number, key?: Buffer, width?: 0 | 2 | 8, declare?: number | bigint }} [options]
 *   rsv: three bits, 4 = RSV1; key: masks; width: forced number of extended length bytes; declare: a length
 *   in the header that differs from the payload's
 * @returns {Buffer}
 */
function frame(opcode, data = '', options = {}) {
  const payload = Buffer.from(data);
  const length = BigInt(options.declare ?? payload.length);
  const width = options.width ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const header = Buffer.alloc(2 + width);
  header[0] = ((options.fin ?? true) ? 0x80 : 0) | ((options.rsv ?? 0) << 4) | opcode;
  if (width === 0) {
    header[1] = Number(length);
  } else if (width === 2) {
    header[1] = 126;
    header.writeUInt16BE(Number(length), 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(length, 2);
  }
  if (!options.key) return Buffer.concat([header, payload]);
  header[1] |= 0x80;
  return Buffer.concat([header, options.key, masked(payload, options.key)]);
}

/**
 * The body of a close frame (RFC 6455, section 5.5.1).
 *
 * @param {number} code
 * @param {string | Uint8Array} [reason]
 * @returns {Buffer}
 */
function closeBody(code, reason = '') {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

/**
 * Reads the first frame of `bytes`.
 *
 * @param {Buffer} bytes
 * @returns {{ fin: boolean, rsv: number, opcode: number, key: Buffer | null, width: number,
 *   payload: Buffer, size: number } | null} null if it is incomplete; size is in bytes, header included
 */
function decode(bytes) {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 0x7f;
  const width = short === 126 ? 2 : short === 127 ? 8 : 0;
  const isMasked = (bytes[1] & 0x80) !== 0;
  const start = 2 + width + (isMasked ? 4 : 0);
  if (bytes.length < start) return null;
  const length =
    width === 0 ? short : width === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return null;
  const key = isMasked ? Buffer.from(bytes.subarray(2 + width, start)) : null;
  const body = bytes.subarray(start, start + length);
  return {
    fin: (bytes[0] & 0x80) !== 0,
    rsv: (bytes[0] >> 4) & 7,
    opcode: bytes[0] & 15,
    key,
    width,
    payload: key ? masked(body, key) : Buffer.from(body),
    size: start + length
  };
}

/**
 * A readable form of bytes that differs when the bytes differ.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
function bytesText(bytes) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length > 64) {
    return `${buffer.length} bytes sha1:${createHash('sha1').update(buffer).digest('hex')}`;
  }
  const text = buffer.toString('latin1');
  return /^[\x20-\x7e]*$/.test(text) ? JSON.stringify(text) : `<${buffer.toString('hex')}>`;
}

/**
 * A decoded frame as one line, without the masking key, which is random in most scenarios.
 *
 * @param {NonNullable<ReturnType<typeof decode>>} decoded
 * @returns {string}
 */
function frameText(decoded) {
  const parts = [NAMES.get(decoded.opcode) ?? `opcode ${decoded.opcode}`];
  if (!decoded.fin) parts.push('no-fin');
  if (decoded.rsv) parts.push(`rsv=${decoded.rsv}`);
  if (decoded.key) parts.push('masked');
  if (decoded.width) parts.push(`length-bytes=${decoded.width}`);
  parts.push(bytesText(decoded.payload));
  return parts.join(' ');
}

module.exports = { OPCODE, KEY, frame, closeBody, decode, bytesText, frameText };
