'use strict';

/*
 * permessage-deflate (RFC 7692): negotiation for both roles (deflate/params.js), and compression by node:zlib
 * (deflate/zlib-queue.js) for programs that use this class, Sender or Receiver directly. Connections compress and inflate in the
 * addon, with the parameters negotiated here (deflate/native-config.js).
 */

const zlib = require('zlib');

const originals = require('./node/originals');
const params = require('./deflate/params');
const { Coder, jobs } = require('./deflate/zlib-queue');
const { createError } = require('./errors');
const { kStatusCode } = require('./constants');

/** The end of a sync flush, which the sender removes from each message (RFC 7692, section 7.2.1). */
const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** @typedef {import('./deflate/zlib-queue').Callback} Callback */
/** @typedef {import('./deflate/params').Params} Params */

class PerMessageDeflate {
  /**
   * @param {Object} [options]
   * @param {boolean | number} [options.clientMaxWindowBits]
   * @param {boolean} [options.clientNoContextTakeover]
   * @param {number} [options.concurrencyLimit] maximum of zlib jobs at a time in the process; that of the
   *   first instance counts
   * @param {boolean} [options.isServer]
   * @param {number} [options.maxPayload] maximum size of an inflated message in bytes; 0 means unlimited
   * @param {boolean | number} [options.serverMaxWindowBits]
   * @param {boolean} [options.serverNoContextTakeover]
   * @param {number} [options.threshold] minimum size in bytes of messages to compress without context
   *   takeover
   * @param {import('zlib').ZlibOptions} [options.zlibDeflateOptions]
   * @param {import('zlib').ZlibOptions} [options.zlibInflateOptions]
   */
  constructor(options) {
    this._options = options || {};
    const { concurrencyLimit = 10, isServer, maxPayload, threshold = 1024 } = this._options;
    this._threshold = threshold;
    this._maxPayload = /** @type {any} */ (maxPayload) | 0;
    this._isServer = !!isServer;
    /** @type {InstanceType<typeof Coder> | null} */
    this._deflate = null;
    /** @type {InstanceType<typeof Coder> | null} */
    this._inflate = null;
    /** @type {Params | null} */
    this.params = null;
    jobs.limit ||= concurrencyLimit || Infinity;
  }

  static get extensionName() {
    return 'permessage-deflate';
  }

  /** @returns {Params} the offer of a client */
  offer() {
    return params.createOffer(this._options);
  }

  /**
   * Accepts an offer (server) or a response (client); sets `params`.
   *
   * @param {Params[]} configurations from extension.parse(); changed
   * @returns {Params} the agreed parameters
   * @throws {Error} if none is acceptable or one is malformed
   */
  accept(configurations) {
    const normalized = this.normalizeParams(configurations);
    this.params = this._isServer
      ? this.acceptAsServer(normalized)
      : this.acceptAsClient(normalized);
    return this.params;
  }

  /**
   * @param {Params[]} offers normalized
   * @returns {Params} the first acceptable offer, with the server's own parameters added
   */
  acceptAsServer(offers) {
    return params.acceptOffer(offers, this._options);
  }

  /** @param {Params[]} responses normalized; the first counts @returns {Params} */
  acceptAsClient(responses) {
    return params.acceptResponse(responses[0], this._options);
  }

  /**
   * @param {Params[]} configurations with lists of values
   * @returns {Params[]} the same objects, with one value each
   */
  normalizeParams(configurations) {
    return params.normalizeParams(configurations, this._isServer);
  }

  /** Closes the zlib streams. The callbacks of running jobs get an error. */
  cleanup() {
    const coders = [this._inflate, this._deflate];
    this._inflate = null;
    this._deflate = null;
    for (const coder of coders) {
      coder?.stream.close();
      coder?.takeCallback()?.(createError('DEFLATE_CLOSED'));
    }
  }

  /**
   * Inflates a fragment of a message.
   *
   * @param {Buffer} data
   * @param {boolean} fin true for the last one
   * @param {Callback} callback
   */
  decompress(data, fin, callback) {
    jobs.add((done) => this._decompress(data, fin, done), callback);
  }

  /**
   * Deflates a fragment of a message.
   *
   * @param {Buffer | string} data
   * @param {boolean} fin true for the last one
   * @param {Callback} callback
   */
  compress(data, fin, callback) {
    jobs.add((done) => this._compress(data, fin, done), callback);
  }

  /**
   * decompress() without the queue.
   *
   * @param {Buffer} data
   * @param {boolean} fin
   * @param {Callback} callback
   */
  _decompress(data, fin, callback) {
    const peer = this._isServer ? 'client' : 'server';
    const coder = (this._inflate ??= this.createInflate(peer));
    const { stream } = coder;
    coder.callback = callback;

    stream.write(data);
    if (fin) stream.write(TRAILER);
    stream.flush(() => {
      if (this._inflate !== coder) return;
      const done = coder.takeCallback();
      const output = coder.take();
      if (stream.readableEnded) {
        // A block with BFINAL ends the stream; the next message needs a new one.
        stream.close();
        this._inflate = null;
      } else if (fin && this.params?.[`${peer}_no_context_takeover`]) {
        stream.reset();
      }
      done?.(null, output);
    });
  }

  /**
   * Creates a coder for messages that the given side has compressed.
   *
   * @param {'client' | 'server'} peer
   * @returns {InstanceType<typeof Coder>}
   */
  createInflate(peer) {
    const stream = zlib.createInflateRaw({
      ...this._options.zlibInflateOptions,
      windowBits: this.windowBits(peer)
    });
    const coder = new Coder(stream);

    /** @param {Error & { [kStatusCode]?: number }} error */
    const fail = (error) => {
      if (this._inflate === coder) this._inflate = null;
      stream.close();
      coder.takeCallback()?.(error);
    };
    stream.on('error', (error) => fail(Object.assign(error, { [kStatusCode]: 1007 })));
    stream.on('data', (chunk) => {
      coder.length += chunk.length;
      if (this._maxPayload < 1 || coder.length <= this._maxPayload) {
        coder.chunks.push(chunk);
      } else if (coder.callback) {
        fail(Object.assign(createError('INFLATED_TOO_LARGE'), { [kStatusCode]: 1009 }));
      }
    });
    return coder;
  }

  /**
   * compress() without the queue.
   *
   * @param {Buffer | string} data
   * @param {boolean} fin
   * @param {Callback} callback
   */
  _compress(data, fin, callback) {
    const self = this._isServer ? 'server' : 'client';
    const coder = (this._deflate ??= this.createDeflate(self));
    const { stream } = coder;
    coder.callback = callback;

    stream.write(data);
    stream.flush(zlib.constants.Z_SYNC_FLUSH, () => {
      if (this._deflate !== coder) return;
      const done = coder.takeCallback();
      const output = coder.take();
      if (fin && this.params?.[`${self}_no_context_takeover`]) {
        /** @type {import('zlib').DeflateRaw} */ (stream).reset();
      }
      done?.(null, fin ? output.subarray(0, -TRAILER.length) : output);
    });
  }

  /**
   * Creates a coder that compresses as the given side.
   *
   * @param {'client' | 'server'} self
   * @returns {InstanceType<typeof Coder>}
   */
  createDeflate(self) {
    const stream = zlib.createDeflateRaw({
      ...this._options.zlibDeflateOptions,
      windowBits: this.windowBits(self)
    });
    const coder = new Coder(stream);
    stream.on('data', (chunk) => {
      coder.chunks.push(chunk);
      coder.length += chunk.length;
    });
    return coder;
  }

  /**
   * @param {'client' | 'server'} side
   * @returns {number} window bits with which `side` compresses
   */
  windowBits(side) {
    const bits = this.params?.[`${side}_max_window_bits`];
    return typeof bits === 'number' ? bits : zlib.constants.Z_DEFAULT_WINDOWBITS;
  }
}

const { compress, decompress } = PerMessageDeflate.prototype;

originals.deflate = {
  hasOriginalCompress: (deflate) => deflate === undefined || deflate.compress === compress,
  hasOriginalDecompress: (deflate) => deflate === undefined || deflate.decompress === decompress
};

module.exports = PerMessageDeflate;
