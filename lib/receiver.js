'use strict';

/*
 * The Receiver: a Writable that takes the bytes of a WebSocket connection and emits what is in them. The addon parses for
 * connections, and emits on their `_receiver` (connection-receiver.js) if there is one. A Receiver parses by itself when it is
 * used alone, and for a connection when a program has replaced one of its methods.
 *
 * Programs and tracers wrap these methods and read these properties: their names, arguments and order are those of ws.
 */

const { Writable } = require('stream');

const originals = require('./node/originals');
const PerMessageDeflate = require('./permessage-deflate');
const { BINARY_TYPES, EMPTY_BUFFER, kStatusCode, kTransport, kWebSocket } = require('./constants');
const { FastBuffer, concat, toArrayBuffer } = require('./buffer-util');
const { isValidStatusCode, isValidUTF8 } = require('./validation');
const { Opcode } = require('./connection/send-job');
const { applyMask } = require('./native');
const { checkInfo, errorOf, hasBytes, isTooLarge } = require('./connection/frame-checks');
const { setImmediate } = require('./node/schedule');

/** What is read next: the parts of a frame; nothing while a fragment is inflated, or an event waits for its macrotask. */
const INFO = 0;
const LENGTH_16 = 1;
const LENGTH_64 = 2;
const MASK = 3;
const DATA = 4;
const INFLATING = 5;
const DEFERRED = 6;

/** Above this the upper half of a 64-bit length makes a number that JavaScript has not got. */
const MAX_UPPER_LENGTH = 2 ** 21 - 1;

/** @typedef {(error?: Error | null) => void} Callback */

/**
 * Emits `message(data, isBinary)`, `ping(data)`, `pong(data)`, `conclude(code, reason)`, and what a Writable
 * emits. It ends itself after a close frame and ignores what comes behind.
 */
class Receiver extends Writable {
  /**
   * Limits are in bytes or pieces; 0 is unlimited.
   *
   * @param {any} [options] `allowSynchronousEvents` (false: at most one event per macrotask), `binaryType`, `extensions`,
   *   `isServer` (whether frames must be masked), `maxBufferedChunks`, `maxFragments`, `maxPayload`, `skipUTF8Validation`
   */
  constructor(options = {}) {
    super();
    const { allowSynchronousEvents } = options;
    this._allowSynchronousEvents =
      allowSynchronousEvents === undefined ? true : allowSynchronousEvents;
    this._binaryType = options.binaryType || BINARY_TYPES[0];
    this._extensions = options.extensions || {};
    this._isServer = !!options.isServer;
    this._maxBufferedChunks = options.maxBufferedChunks | 0;
    this._maxFragments = options.maxFragments | 0;
    this._maxPayload = options.maxPayload | 0;
    this._skipUTF8Validation = !!options.skipUTF8Validation;
    /** @type {any} */
    const self = this;
    /** The WebSocket, if the receiver is that of a connection. */
    self[kWebSocket] = undefined;

    // Bytes that have come and have not been read.
    this._bufferedBytes = 0;
    /** @type {Buffer[]} */
    this._buffers = [];

    // The frame that is being read.
    this._compressed = false;
    this._payloadLength = 0;
    /** @type {Buffer | undefined} */
    this._mask = undefined;
    /** Opcode of the message that is being continued, or 0. */
    this._fragmented = 0;
    this._masked = false;
    this._fin = false;
    this._opcode = 0;

    // The message that is being read.
    this._totalPayloadLength = 0;
    this._messageLength = 0;
    this._numFragments = 0;
    /** @type {Buffer[]} */
    this._fragments = [];

    this._errored = false;
    /** Whether startLoop() goes on. */
    this._loop = false;
    this._state = INFO;
  }

  /**
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {Callback} callback called when all that is in the chunk has been emitted
   */
  _write(chunk, _encoding, callback) {
    if (this._opcode === Opcode.CLOSE && this._state === INFO) {
      callback();
      return;
    }
    if (this._maxBufferedChunks > 0 && this._buffers.length >= this._maxBufferedChunks) {
      callback(errorOf(this, 'CHUNKS', 'Too many buffered chunks'));
      return;
    }
    this._bufferedBytes += chunk.length;
    this._buffers.push(chunk);
    this.startLoop(callback);
  }

  /**
   * Takes bytes off the buffered chunks.
   *
   * @param {number} count as many as are there at most
   * @returns {Buffer} a view of a chunk where one has them all
   */
  consume(count) {
    this._bufferedBytes -= count;
    const [first] = this._buffers;
    if (first.length === count) return /** @type {Buffer} */ (this._buffers.shift());
    if (first.length > count) return takeFrom(this._buffers, count);

    const target = Buffer.allocUnsafe(count);
    let filled = 0;
    while (filled < count) {
      const length = Math.min(this._buffers[0].length, count - filled);
      const isWhole = length === this._buffers[0].length;
      const part = isWhole ? this._buffers.shift() : takeFrom(this._buffers, length);
      target.set(/** @type {Buffer} */ (part), filled);
      filled += length;
    }
    return target;
  }

  /**
   * Reads as far as the buffered chunks go.
   *
   * @param {Callback} callback
   */
  startLoop(callback) {
    this._loop = true;
    while (this._loop) {
      switch (this._state) {
        case INFO:
          this.getInfo(callback);
          break;
        case LENGTH_16:
          this.getPayloadLength16(callback);
          break;
        case LENGTH_64:
          this.getPayloadLength64(callback);
          break;
        case MASK:
          this.getMask();
          break;
        case DATA:
          this.getData(callback);
          break;
        default:
          // It goes on when the fragment has been inflated, or the event been emitted.
          this._loop = false;
          return;
      }
    }
    if (!this._errored) callback();
  }

  /**
   * Reads the first two bytes of a frame.
   *
   * @param {Callback} callback
   */
  getInfo(callback) {
    if (!hasBytes(this, 2)) return;
    const [first, second] = this.consume(2);
    const isCompressed = (first & 0x40) !== 0;
    if ((first & 0x30) !== 0) {
      callback(errorOf(this, 'RSV23', 'RSV2 and RSV3 must be clear'));
      return;
    }
    if (isCompressed && !this._extensions[PerMessageDeflate.extensionName]) {
      callback(errorOf(this, 'RSV1', 'RSV1 must be clear'));
      return;
    }
    this._fin = (first & 0x80) !== 0;
    this._opcode = first & 0x0f;
    this._payloadLength = second & 0x7f;

    const error = checkInfo(this, isCompressed, (second & 0x80) !== 0);
    if (error) {
      callback(error);
      return;
    }
    if (this._payloadLength === 126) this._state = LENGTH_16;
    else if (this._payloadLength === 127) this._state = LENGTH_64;
    else this.haveLength(callback);
  }

  /** @param {Callback} callback */
  getPayloadLength16(callback) {
    if (!hasBytes(this, 2)) return;
    this._payloadLength = this.consume(2).readUInt16BE(0);
    this.haveLength(callback);
  }

  /** @param {Callback} callback */
  getPayloadLength64(callback) {
    if (!hasBytes(this, 8)) return;
    const bytes = this.consume(8);
    const upper = bytes.readUInt32BE(0);
    if (upper > MAX_UPPER_LENGTH) {
      const text = 'Unsupported WebSocket frame: payload length > 2^53 - 1';
      callback(errorOf(this, 'LENGTH', text));
      return;
    }
    this._payloadLength = upper * 2 ** 32 + bytes.readUInt32BE(4);
    this.haveLength(callback);
  }

  /**
   * The length of the payload has been read.
   *
   * @param {Callback} callback
   */
  haveLength(callback) {
    if (this._opcode < Opcode.CLOSE && this._payloadLength > 0) {
      this._totalPayloadLength += this._payloadLength;
      if (isTooLarge(this, this._totalPayloadLength)) {
        callback(errorOf(this, 'MAX_PAYLOAD', 'Max payload size exceeded'));
        return;
      }
    }
    this._state = this._masked ? MASK : DATA;
  }

  getMask() {
    if (!hasBytes(this, 4)) return;
    this._mask = this.consume(4);
    this._state = DATA;
  }

  /**
   * Reads the payload.
   *
   * @param {Callback} callback
   */
  getData(callback) {
    /** @type {Buffer} */
    let data = EMPTY_BUFFER;
    if (this._payloadLength > 0) {
      if (!hasBytes(this, this._payloadLength)) return;
      data = this.consume(this._payloadLength);
      if (this._masked) applyMask(data, /** @type {Buffer} */ (this._mask));
    }
    this._mask = undefined;

    if (this._opcode >= Opcode.CLOSE) {
      this.controlMessage(data, callback);
      return;
    }
    if (this._maxFragments > 0 && ++this._numFragments > this._maxFragments) {
      callback(errorOf(this, 'CHUNKS', 'Too many message fragments'));
      return;
    }
    if (this._compressed) {
      this._state = INFLATING;
      this.decompress(data, callback);
      return;
    }
    if (data.length > 0) {
      this._messageLength = this._totalPayloadLength;
      this._fragments.push(data);
    }
    this.dataMessage(callback);
  }

  /**
   * Inflates a fragment.
   *
   * @param {Buffer} data
   * @param {Callback} callback
   */
  decompress(data, callback) {
    const deflate = this._extensions[PerMessageDeflate.extensionName];
    deflate.decompress(
      data,
      this._fin,
      (/** @type {Error | null} */ error, /** @type {Buffer} */ output) => {
        if (error) {
          callback(error);
          return;
        }
        if (output.length > 0) {
          this._messageLength += output.length;
          if (isTooLarge(this, this._messageLength)) {
            callback(errorOf(this, 'MAX_PAYLOAD', 'Max payload size exceeded'));
            return;
          }
          this._fragments.push(output);
        }
        this.dataMessage(callback);
        if (this._state === INFO) this.startLoop(callback);
      }
    );
  }

  /**
   * A frame of data has been read: emits the message if it is the last one.
   *
   * @param {Callback} callback
   */
  dataMessage(callback) {
    if (!this._fin) {
      this._state = INFO;
      return;
    }
    const { _fragments: fragments, _messageLength: length, _opcode: opcode } = this;
    const isInflated = this._state === INFLATING;
    this._totalPayloadLength = 0;
    this._messageLength = 0;
    this._fragmented = 0;
    this._numFragments = 0;
    this._fragments = [];

    if (opcode === Opcode.BINARY) {
      emitInTurn(this, false, callback, 'message', toBinary(fragments, length, this), true);
      return;
    }
    const text = concat(fragments, length);
    if (!this._skipUTF8Validation && !isValidUTF8(text)) {
      callback(errorOf(this, 'UTF8', 'invalid UTF-8 sequence'));
      return;
    }
    emitInTurn(this, isInflated, callback, 'message', text, false);
  }

  /**
   * A control frame has been read.
   *
   * @param {Buffer} data
   * @param {Callback} callback
   */
  controlMessage(data, callback) {
    if (this._opcode !== Opcode.CLOSE) {
      emitInTurn(this, false, callback, this._opcode === Opcode.PING ? 'ping' : 'pong', data);
      return;
    }
    let code = 1005;
    /** @type {Buffer} */
    let reason = EMPTY_BUFFER;
    if (data.length > 0) {
      code = data.readUInt16BE(0);
      if (!isValidStatusCode(code)) {
        callback(errorOf(this, 'CLOSE_CODE', `invalid status code ${code}`));
        return;
      }
      reason = new FastBuffer(data.buffer, data.byteOffset + 2, data.length - 2);
      if (!this._skipUTF8Validation && !isValidUTF8(reason)) {
        callback(errorOf(this, 'UTF8', 'invalid UTF-8 sequence'));
        return;
      }
    }
    this._loop = false;
    this.emit('conclude', code, reason);
    this.end();
    this._state = INFO;
  }

  /**
   * Makes an error, after which nothing is read.
   *
   * @param {ErrorConstructor} ErrorClass
   * @param {string} message
   * @param {boolean} isPrefixed whether the text begins as those of malformed frames do
   * @param {number} status to close the connection with
   * @param {string} code
   * @returns {Error}
   */
  createError(ErrorClass, message, isPrefixed, status, code) {
    this._loop = false;
    this._errored = true;
    const prefix = isPrefixed ? 'Invalid WebSocket frame: ' : '';
    /** @type {any} */
    const error = new ErrorClass(prefix + message);
    Error.captureStackTrace(error, this.createError);
    error.code = code;
    error[kStatusCode] = status;
    return error;
  }
}

/**
 * Takes bytes off the first of several chunks, which has more.
 *
 * @param {Buffer[]} chunks
 * @param {number} count
 * @returns {Buffer}
 */
function takeFrom(chunks, count) {
  const { buffer, byteOffset, length } = chunks[0];
  chunks[0] = new FastBuffer(buffer, byteOffset + count, length - count);
  return new FastBuffer(buffer, byteOffset, count);
}

/**
 * A binary message in the form that is asked for.
 *
 * @param {Buffer[]} fragments
 * @param {number} length
 * @param {Receiver} receiver
 */
function toBinary(fragments, length, { _binaryType: binaryType }) {
  if (binaryType === 'nodebuffer') return concat(fragments, length);
  if (binaryType === 'arraybuffer') return toArrayBuffer(concat(fragments, length));
  if (binaryType === 'blob') return new Blob(/** @type {any[]} */ (fragments));
  return fragments;
}

/**
 * Emits an event at once, or in a macrotask of its own.
 *
 * @param {any} receiver
 * @param {boolean} hasTurn whether this macrotask belongs to it
 * @param {Callback} callback
 * @param {string} event
 * @param {...any} args
 */
function emitInTurn(receiver, hasTurn, callback, event, ...args) {
  // A transport that delivers on a receiver has given the event its macrotask.
  if (hasTurn || receiver._allowSynchronousEvents || receiver[kTransport]?.isReplaying) {
    receiver.emit(event, ...args);
    receiver._state = INFO;
    return;
  }
  receiver._state = DEFERRED;
  setImmediate(() => {
    receiver.emit(event, ...args);
    receiver._state = INFO;
    receiver.startLoop(callback);
  });
}

const { addListener, controlMessage, dataMessage, emit, end, on, write } = Receiver.prototype;

/**
 * What parsing calls, by name.
 *
 * @type {[string, any][]}
 */
const parsing = Object.getOwnPropertyNames(Receiver.prototype).map((name) => [
  name,
  /** @type {any} */ (Receiver.prototype)[name]
]);
parsing.push(['write', write], ['end', end]);

originals.receiver = {
  hasOriginalParsing(Class) {
    const prototype = /** @type {any} */ (Receiver.prototype);
    return Class === Receiver && parsing.every(([name, method]) => prototype[name] === method);
  },
  hasOriginalEvents() {
    const { prototype } = Receiver;
    return prototype.on === on && prototype.addListener === addListener && prototype.emit === emit;
  },
  hasOriginalControlMessage: (receiver) =>
    receiver === null
      ? Receiver.prototype.controlMessage === controlMessage && Receiver.prototype.emit === emit
      : receiver.controlMessage === controlMessage,
  hasOriginalDataMessage: (receiver) =>
    receiver === null
      ? Receiver.prototype.dataMessage === dataMessage && Receiver.prototype.emit === emit
      : receiver.dataMessage === dataMessage
};

module.exports = Receiver;
