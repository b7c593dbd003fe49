'use strict';

// Compression with node:zlib for peers that are plain sockets (RFC 7692): a compressor and a strict decompressor for the
// messages of one direction, and test data. Independent of ws and ferrows on purpose. Used by deflate-peer.js and the scenarios
// deflate-*.js; frames and sockets do not belong here.

const { createHash } = require('node:crypto');
const zlib = require('node:zlib');

/** The end of a sync flush, which senders remove from the end of a message (RFC 7692, section 7.2.1). */
const TRAILER = Buffer.from([0, 0, 0xff, 0xff]);

const finishFlush = zlib.constants.Z_SYNC_FLUSH;

/** The compression context of one direction: the end of the previous messages, which later ones may refer to. */
class Context {
  #dictionary;
  #takeover;
  #said;

  constructor({ takeover = true, dictionary = Buffer.alloc(0) } = {}) {
    this.#takeover = takeover;
    this.#dictionary = dictionary;
    this.#said = dictionary;
  }

  /** As an option of node:zlib. */
  get dictionary() {
    return this.#said.length ? this.#said : undefined;
  }

  add(data) {
    this.#said = Buffer.concat([this.#said, data]).subarray(-32768);
  }

  endMessage() {
    if (!this.#takeover) this.#said = this.#dictionary;
  }
}

/** Compresses messages, fragment by fragment. */
class Deflater {
  #context;
  #windowBits;

  /** @param {{ takeover?: boolean, windowBits?: number, dictionary?: Buffer }} [options] */
  constructor(options = {}) {
    this.#context = new Context(options);
    this.#windowBits = options.windowBits ?? 15;
  }

  /**
   * @param {string | Uint8Array} data
   * @param {boolean} [fin] true for the last fragment of a message
   * @param {object} [options] of zlib, for this fragment
   * @returns {Buffer}
   */
  part(data, fin = true, options = {}) {
    const bytes = Buffer.from(data);
    const { dictionary } = this.#context;
    const windowBits = this.#windowBits;
    const deflated = zlib.deflateRawSync(bytes, {
      windowBits,
      dictionary,
      finishFlush,
      ...options
    });
    this.#context.add(bytes);
    if (!fin) return deflated;
    this.#context.endMessage();
    return deflated.subarray(0, -TRAILER.length);
  }
}

/** Inflates messages, fragment by fragment, and rejects anything that exceeds the negotiated parameters. */
class Inflater {
  #context;
  #windowBits;
  #message = Buffer.alloc(0);
  #given = 0;

  /** @param {{ takeover?: boolean, windowBits?: number, dictionary?: Buffer }} [options] */
  constructor(options = {}) {
    this.#context = new Context(options);
    this.#windowBits = options.windowBits ?? 15;
  }

  /**
   * @param {Buffer} payload
   * @param {boolean} fin
   * @returns {Buffer} the bytes that this fragment adds to the message
   */
  part(payload, fin) {
    this.#message = Buffer.concat([this.#message, payload]);
    const whole = zlib.inflateRawSync(
      Buffer.concat(fin ? [this.#message, TRAILER] : [this.#message]),
      {
        windowBits: this.#windowBits,
        dictionary: this.#context.dictionary,
        finishFlush,
        // zlib detects a distance beyond its window only if it reaches behind the current chunk of output.
        chunkSize: this.#windowBits < 15 ? 64 : 65536
      }
    );
    const fresh = whole.subarray(this.#given);
    this.#given = whole.length;
    if (!fin) return fresh;
    this.#context.add(whole);
    this.#context.endMessage();
    this.#message = Buffer.alloc(0);
    this.#given = 0;
    return fresh;
  }
}

/**
 * Incompressible bytes, the same for each seed.
 *
 * @param {number} length
 * @param {string} [seed]
 */
const noise = (length, seed = 'noise') =>
  createHash('shake256', { outputLength: length }).update(seed).digest();

/** Text without repetitions that compresses a little: hexadecimal digits. */
const digits = (length, seed) => noise(Math.ceil(length / 2), seed).toString('hex', 0, length);

/** `mebibytes` MiB of one byte, compressed to a thousandth (one message, or its beginning). */
function bomb(mebibytes) {
  const one = zlib.deflateRawSync(Buffer.alloc(1 << 20, 'b'), { finishFlush });
  return Buffer.concat(Array.from({ length: mebibytes }, () => one)).subarray(0, -TRAILER.length);
}

module.exports = { TRAILER, Deflater, Inflater, bomb, digits, noise };
