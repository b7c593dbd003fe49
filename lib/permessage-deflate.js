'use strict';

/*
 * permessage-deflate (RFC 7692) as a class of its own: negotiation of the parameters, and compression with
 * node:zlib for users of the public Sender and of this class. Connections do not negotiate it here.
 */

const zlib = require('zlib');

const { createError } = require('./errors');
const { kStatusCode } = require('./constants');

/** What a sync flush leaves at the end of a message; removed by the sender (RFC 7692, section 7.2.1). */
const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** @typedef {(error: Error | null, result?: Buffer) => void} Callback */
/** @typedef {Record<string, any>} Params */

/**
 * Jobs of all instances in one process: at most `limit` at a time use the thread pool.
 */
const jobs = {
  limit: 0,
  running: 0,
  /** @type {((done: () => void) => void)[]} */
  waiting: [],

  /** @param {(done: () => void) => void} job calls `done` when it has ended */
  add(job) {
    jobs.waiting.push(job);
    jobs.start();
  },

  start() {
    while (jobs.running < jobs.limit && jobs.waiting.length > 0) {
      const job = /** @type {(done: () => void) => void} */ (jobs.waiting.shift());
      jobs.running++;
      job(() => {
        jobs.running--;
        jobs.start();
      });
    }
  }
};

/**
 * One zlib stream and what it has put out for the current message.
 */
class Coder {
  /** @param {import('zlib').DeflateRaw | import('zlib').InflateRaw} stream */
  constructor(stream) {
    this.stream = stream;
    /** @type {Buffer[]} */
    this.chunks = [];
    this.length = 0;
    /** @type {Callback | null} */
    this.callback = null;
  }

  /** @returns {Buffer} the output since the last call */
  take() {
    const output =
      this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks, this.length);
    this.chunks = [];
    this.length = 0;
    return output;
  }

  /** @returns {Callback | null} the callback of the running job, which is then no longer known */
  takeCallback() {
    const { callback } = this;
    this.callback = null;
    return callback;
  }
}

class PerMessageDeflate {
  /**
   * @param {Object} [options]
   * @param {boolean | number} [options.clientMaxWindowBits]
   * @param {boolean} [options.clientNoContextTakeover]
   * @param {number} [options.concurrencyLimit] zlib jobs at a time in the process; the first instance decides
   * @param {boolean} [options.isServer]
   * @param {number} [options.maxPayload] bytes that a message may inflate to; 0 is unlimited
   * @param {boolean | number} [options.serverMaxWindowBits]
   * @param {boolean} [options.serverNoContextTakeover]
   * @param {number} [options.threshold] bytes below which nothing is compressed without context takeover
   * @param {import('zlib').ZlibOptions} [options.zlibDeflateOptions]
   * @param {import('zlib').ZlibOptions} [options.zlibInflateOptions]
   */
  constructor(options) {
    this._options = options || {};
    const { concurrencyLimit = 10, isServer, maxPayload, threshold = 1024 } = this._options;
    this._threshold = threshold;
    this._maxPayload = Number(maxPayload) | 0;
    this._isServer = !!isServer;
    /** @type {Coder | null} */
    this._deflate = null;
    /** @type {Coder | null} */
    this._inflate = null;
    /** @type {Params | null} */
    this.params = null;
    jobs.limit ||= concurrencyLimit || Infinity;
  }

  static get extensionName() {
    return 'permessage-deflate';
  }

  /**
   * @returns {Params} the parameters that a client offers
   */
  offer() {
    const { _options: options } = this;
    /** @type {Params} */
    const params = {};
    if (options.serverNoContextTakeover) params.server_no_context_takeover = true;
    if (options.clientNoContextTakeover) params.client_no_context_takeover = true;
    if (options.serverMaxWindowBits) params.server_max_window_bits = options.serverMaxWindowBits;
    if (options.clientMaxWindowBits ?? true) {
      params.client_max_window_bits = options.clientMaxWindowBits ?? true;
    }
    return params;
  }

  /**
   * Accepts an offer (server) or a response (client); sets `params`.
   *
   * @param {Params[]} configurations as extension.parse() gives them; they are changed
   * @returns {Params} the agreed parameters
   * @throws {Error} if none can be accepted or one is malformed
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
   * @returns {Params} the first acceptable offer, completed with what this server adds
   */
  acceptAsServer(offers) {
    const {
      clientMaxWindowBits,
      clientNoContextTakeover,
      serverMaxWindowBits,
      serverNoContextTakeover
    } = this._options;
    const params = offers.find((offer) => this.isAcceptable(offer));
    if (!params) throw createError('OFFERS_REFUSED');

    if (serverNoContextTakeover) params.server_no_context_takeover = true;
    if (clientNoContextTakeover) params.client_no_context_takeover = true;
    if (typeof serverMaxWindowBits === 'number') {
      params.server_max_window_bits = serverMaxWindowBits;
    }
    if (typeof clientMaxWindowBits === 'number') {
      params.client_max_window_bits = clientMaxWindowBits;
    } else if (params.client_max_window_bits === true || clientMaxWindowBits === false) {
      delete params.client_max_window_bits;
    }
    return params;
  }

  /**
   * @param {Params} offer normalized
   * @returns {boolean} whether this server can live with it
   */
  isAcceptable(offer) {
    const { clientMaxWindowBits, serverMaxWindowBits, serverNoContextTakeover } = this._options;
    if (offer.server_no_context_takeover && serverNoContextTakeover === false) return false;

    const serverBits = offer.server_max_window_bits;
    if (serverBits && (serverMaxWindowBits === false || Number(serverMaxWindowBits) > serverBits)) {
      return false;
    }

    if (typeof clientMaxWindowBits !== 'number') return true;
    const clientBits = offer.client_max_window_bits;
    return clientBits === true || clientBits >= clientMaxWindowBits;
  }

  /**
   * @param {Params[]} responses normalized; the first counts
   * @returns {Params}
   */
  acceptAsClient([params]) {
    const { clientMaxWindowBits, clientNoContextTakeover } = this._options;
    if (params.client_no_context_takeover && clientNoContextTakeover === false) {
      throw createError('PARAMETER_UNEXPECTED', 'client_no_context_takeover');
    }

    const bits = params.client_max_window_bits;
    const isNumber = typeof clientMaxWindowBits === 'number';
    if (!bits) {
      if (isNumber) params.client_max_window_bits = clientMaxWindowBits;
    } else if (clientMaxWindowBits === false || (isNumber && bits > clientMaxWindowBits)) {
      throw createError('PARAMETER_UNACCEPTABLE', 'client_max_window_bits');
    }
    return params;
  }

  /**
   * Replaces each list of values by its one value: a number of bits, or true.
   *
   * @param {Params[]} configurations
   * @returns {Params[]} the same objects
   * @throws {Error} on an unknown or repeated parameter or a bad value
   */
  normalizeParams(configurations) {
    for (const params of configurations) {
      for (const [key, values] of Object.entries(params)) {
        if (values.length > 1) throw createError('PARAMETER_REPEATED', key);
        params[key] = this.normalizeParam(key, values[0]);
      }
    }
    return configurations;
  }

  /**
   * @param {string} key
   * @param {string | true} value
   * @returns {number | true}
   */
  normalizeParam(key, value) {
    switch (key) {
      case 'client_no_context_takeover':
      case 'server_no_context_takeover':
        if (value === true) return true;
        break;
      case 'client_max_window_bits':
        // Without a value it only says that the client knows the parameter: for offers alone.
        if (value === true && this._isServer) return true;
      // falls through
      case 'server_max_window_bits': {
        const bits = value === true ? NaN : Number(value);
        if (Number.isInteger(bits) && bits >= 8 && bits <= 15) return bits;
        break;
      }
      default:
        throw createError('PARAMETER_UNKNOWN', key);
    }
    throw createError('PARAMETER_VALUE', key, value);
  }

  /**
   * Frees the zlib streams. The callbacks of running jobs get an error.
   */
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
   * @param {boolean} fin whether it is the last one
   * @param {Callback} callback
   */
  decompress(data, fin, callback) {
    jobs.add((done) => {
      this._decompress(data, fin, (error, result) => {
        done();
        callback(error, result);
      });
    });
  }

  /**
   * Deflates a fragment of a message.
   *
   * @param {Buffer | string} data
   * @param {boolean} fin whether it is the last one
   * @param {Callback} callback
   */
  compress(data, fin, callback) {
    jobs.add((done) => {
      this._compress(data, fin, (error, result) => {
        done();
        callback(error, result);
      });
    });
  }

  /**
   * decompress(), at once.
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
        // A final block ends the stream; the next message starts a new one.
        stream.close();
        this._inflate = null;
      } else if (fin && this.params?.[`${peer}_no_context_takeover`]) {
        stream.reset();
      }
      done?.(null, output);
    });
  }

  /**
   * A coder for what the given side has compressed.
   *
   * @param {'client' | 'server'} peer
   * @returns {Coder}
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
   * compress(), at once.
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
   * A coder that compresses as the given side.
   *
   * @param {'client' | 'server'} self
   * @returns {Coder}
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
   * @returns {number} bits of the window that `side` compresses with
   */
  windowBits(side) {
    const bits = this.params?.[`${side}_max_window_bits`];
    return typeof bits === 'number' ? bits : zlib.constants.Z_DEFAULT_WINDOWBITS;
  }
}

module.exports = PerMessageDeflate;
