'use strict';

/*
 * The order of what is sent: messages, control frames and close frames leave first in, first out, also when
 * a Blob has to be read or a message to be compressed first. The public Sender writes frames to any stream;
 * connection-sender.js has the one of a connection.
 */

const PerMessageDeflate = require('./permessage-deflate');
const { NOOP, kWebSocket } = require('./constants');
const { MAX_CONTROL_PAYLOAD, Opcode, createCloseBody, createJob } = require('./send-job');
const { createError } = require('./errors');
const { frame } = require('./frame');
const { isBlob } = require('./validation');
const { toBuffer } = require('./buffer-util');
const { nextTick } = require('./schedule');

/** What a sender is doing: nothing, compressing, or reading a Blob. */
const IDLE = 0;
const DEFLATING = 1;
const READING_BLOB = 2;

/** @typedef {import('./send-job').Callback} Callback */
/** @typedef {import('./send-job').Job} Job */

class Sender {
  /**
   * The WebSocket, if the sender is that of a connection.
   *
   * @type {any}
   */
  [kWebSocket] = undefined;

  /**
   * @param {any} socket a Duplex or Writable
   * @param {Record<string, any>} [extensions] those negotiated, by name
   * @param {(key: Buffer) => void} [generateMask] fills the masking key of each masked frame
   */
  constructor(socket, extensions, generateMask) {
    this._extensions = extensions || {};
    this._generateMask = generateMask;
    this._maskBuffer = generateMask ? Buffer.alloc(4) : undefined;
    this._socket = socket;
    this._firstFragment = true;
    this._compress = false;
    /** Payload bytes that wait here. */
    this._bufferedBytes = 0;
    /** @type {Job[]} */
    this._queue = [];
    this._state = IDLE;
    /** @type {Job | null} what is being compressed */
    this._deflating = null;
    /** @type {(error: Error) => void} */
    this.onerror = NOOP;
  }

  /** Whether what is sent now has to wait for something before it. */
  get isBusy() {
    return this._state !== IDLE;
  }

  /**
   * Frames a payload; see frame.js for what comes out.
   *
   * @param {Buffer | string} data
   * @param {import('./frame').FrameOptions} options
   * @returns {Buffer[]}
   */
  static frame(data, options) {
    return frame(data, options);
  }

  /**
   * Sends a message or a fragment of one.
   *
   * @param {any} data string, Blob, or anything that `Buffer.from()` takes
   * @param {{ binary?: boolean, compress?: boolean, fin?: boolean, mask?: boolean }} options
   * @param {Callback} [callback]
   * @throws {TypeError} if `data` is of no such type
   */
  send(data, options, callback) {
    const job = createJob(
      data,
      options.binary ? Opcode.BINARY : Opcode.TEXT,
      options.mask,
      callback
    );
    const deflate = this._extensions[PerMessageDeflate.extensionName];

    if (this._firstFragment) {
      const side = deflate?._isServer ? 'server' : 'client';
      this._compress =
        !!options.compress &&
        !(deflate?.params[`${side}_no_context_takeover`] && job.byteLength < deflate._threshold);
      job.rsv1 = this._compress;
    } else {
      job.opcode = Opcode.CONTINUATION;
    }
    job.compress = this._compress;
    job.fin = !!options.fin;
    this._firstFragment = job.fin;
    this.submit(job);
  }

  /**
   * @param {any} data as for send(), up to 125 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   */
  ping(data, mask, callback) {
    this.control(Opcode.PING, data, mask, callback);
  }

  /**
   * @param {any} data as for send(), up to 125 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   */
  pong(data, mask, callback) {
    this.control(Opcode.PONG, data, mask, callback);
  }

  /**
   * @param {number} opcode
   * @param {any} data
   * @param {boolean | undefined} mask
   * @param {Callback} callback
   */
  control(opcode, data, mask, callback) {
    const job = createJob(data, opcode, mask, callback);
    if (job.byteLength > MAX_CONTROL_PAYLOAD) throw createError('CONTROL_TOO_LONG');
    this.submit(job);
  }

  /**
   * Sends a close frame.
   *
   * @param {number} [code] undefined: a frame without a body
   * @param {string | Uint8Array} [reason] up to 123 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   * @throws {TypeError | RangeError} on a code or reason that may not be sent
   */
  close(code, reason, mask, callback) {
    const job = createJob(createCloseBody(code, reason), Opcode.CLOSE, mask, callback);
    job.readOnly = false;
    this.submit(job);
  }

  /**
   * Starts a job now or after those before it.
   *
   * @param {Job} job
   */
  submit(job) {
    if (this._state === IDLE) {
      this.start(job);
    } else {
      this._bufferedBytes += job.byteLength;
      this._queue.push(job);
    }
  }

  /** @param {Job} job */
  start(job) {
    if (isBlob(job.data)) this.getBlobData(job);
    else this.dispatch(job);
  }

  /** Starts the jobs that have waited, as far as possible. */
  dequeue() {
    while (this._state === IDLE && this._queue.length > 0) {
      const job = /** @type {Job} */ (this._queue.shift());
      this._bufferedBytes -= job.byteLength;
      this.start(job);
    }
  }

  /**
   * Reads a Blob, then sends it.
   *
   * @param {Job} job
   */
  getBlobData(job) {
    this._bufferedBytes += job.byteLength;
    this._state = READING_BLOB;
    job.data.arrayBuffer().then(
      (/** @type {ArrayBuffer} */ content) => this.blobRead(job, content),
      // In a tick of its own: a throwing callback must not become an unhandled rejection.
      (/** @type {Error} */ error) => nextTick(() => this.fail(job, error, true))
    );
  }

  /**
   * @param {Job} job
   * @param {ArrayBuffer} content
   */
  blobRead(job, content) {
    if (this._socket.destroyed) {
      const error = createError('CLOSED_READING_BLOB');
      nextTick(() => this.fail(job, error, false));
      return;
    }
    this._bufferedBytes -= job.byteLength;
    this._state = IDLE;
    job.data = toBuffer(content);
    this.dispatch(job);
    this.dequeue();
  }

  /**
   * Compresses a job if it is to be, and sends it.
   *
   * @param {Job} job
   */
  dispatch(job) {
    if (!job.compress || !this.deflate(job)) {
      this.transmit(job);
      return;
    }
    this._bufferedBytes += job.byteLength;
    this._state = DEFLATING;
    this._deflating = job;
  }

  /**
   * Starts to compress a job.
   *
   * @param {Job} job
   * @returns {boolean} false: that is not needed; true: `deflated` is called later
   */
  deflate(job) {
    this._extensions[PerMessageDeflate.extensionName].compress(
      job.data,
      job.fin,
      (/** @type {Error | null} */ _error, /** @type {Buffer} */ compressed) => {
        this.deflated(job, compressed);
      }
    );
    return true;
  }

  /**
   * Sends a job that has been compressed, and what has waited for it.
   *
   * @param {Job} job
   * @param {Buffer | null} compressed null: the addon has it
   */
  deflated(job, compressed) {
    if (this._deflating !== job) return;
    if (this._socket.destroyed) {
      this.abandon();
      return;
    }
    this._deflating = null;
    this._bufferedBytes -= job.byteLength;
    this._state = IDLE;
    job.data = compressed;
    job.readOnly = false;
    this.transmit(job);
    this.dequeue();
  }

  /** Fails what is being compressed, and all behind it: the socket has been closed. */
  abandon() {
    const job = this._deflating;
    this._deflating = null;
    if (job !== null) this.fail(job, createError('CLOSED_COMPRESSING'), false);
  }

  /**
   * Frames and writes. It is a job's turn.
   *
   * @param {Job} job
   */
  transmit(job) {
    const list = frame(job.data, {
      fin: job.fin,
      generateMask: this._generateMask,
      mask: job.mask,
      maskBuffer: this._maskBuffer,
      opcode: job.opcode,
      readOnly: job.readOnly,
      rsv1: job.rsv1
    });
    this.sendFrame(list, job.callback);
  }

  /**
   * Writes a frame.
   *
   * @param {(Buffer | string)[]} list its pieces
   * @param {Callback} [callback]
   */
  sendFrame(list, callback) {
    const { _socket: socket } = this;
    const last = list.length - 1;
    if (last > 0) socket.cork?.();
    list.forEach((piece, index) => socket.write(piece, index === last ? callback : undefined));
    if (last > 0) socket.uncork?.();
  }

  /**
   * Fails a job and all behind it.
   *
   * @param {Job} job
   * @param {Error} error
   * @param {boolean} isFatal whether the owner must know
   */
  fail(job, error, isFatal) {
    for (const { callback } of [job, ...this._queue]) {
      if (typeof callback === 'function') callback(error);
    }
    if (isFatal) this.onerror(error);
  }
}

module.exports = Sender;
