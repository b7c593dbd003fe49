'use strict';

/*
 * The Receiver: a Writable that parses the bytes of a WebSocket connection and emits its messages. It parses in JavaScript when
 * used alone, and for a connection when a program had replaced a method of it before the connection opened. Otherwise the addon
 * parses, and the Receiver of a connection (connection/receiver.js) only emits.
 *
 * Programs and tracers wrap these methods and read these properties: names, arguments and order are those of ws.
 */

const { Writable } = require('stream');

const originals = require('./node/originals');
const PerMessageDeflate = require('./permessage-deflate');
const { BINARY_TYPES, EMPTY_BUFFER, kStatusCode, kTransport, kWebSocket } = require('./constants');
const { FastBuffer, concat, toArrayBuffer } = require('./buffer-util');
const { isValidStatusCode, isValidUTF8 } = require('./validation');
const { Opcode } = require('./connection/frame');
const { applyMask } = require('./native');
const { checkInfo, hasBytes, isTooLarge, protocolError } = require('./connection/frame-checks');
const { setImmediate } = require('./node/schedule');

/** Values of `_state`: the next part of a frame; or the Receiver waits for an inflated fragment, or for a macrotask. */
const INFO = 0;
const LENGTH_16 = 1;
const LENGTH_64 = 2;
const MASK = 3;
const DATA = 4;
const INFLATING = 5;
const DEFERRED = 6;

/** Maximum of the upper 32 bits of a payload length: JavaScript numbers are exact up to 2^53 - 1. */
const MAX_UPPER_LENGTH = 2 ** 21 - 1;

/** @typedef {(error?: Error | null) => void} Callback */

/**
 * Emits `message(data, isBinary)`, `ping(data)`, `pong(data)`, `conclude(code, reason)` and the events of a Writable. Ends
 * itself after a close frame, and ignores later bytes.
 */
class Receiver extends Writable {
  /**
   * @param {any} [options] `allowSynchronousEvents` (false: at most one event per macrotask), `binaryType`, `extensions`,
   *   `isServer` (true: frames must be masked), `skipUTF8Validation`; `maxBufferedChunks`, `maxFragments` and `maxPayload`
   *   (bytes), 0 for no limit
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
    /** The WebSocket of the connection, if any. */
    self[kWebSocket] = undefined;

    // Unparsed input.
    this._bufferedBytes = 0;
    /** @type {Buffer[]} */
    this._buffers = [];

    // The current frame.
    this._compressed = false;
    this._payloadLength = 0;
    /** @type {Buffer | undefined} */
    this._mask = undefined;
    /** Opcode of the current fragmented message, or 0. */
    this._fragmented = 0;
    this._masked = false;
    this._fin = false;
    this._opcode = 0;

    // The current message.
    this._totalPayloadLength = 0;
    this._messageLength = 0;
    this._numFragments = 0;
    /** @type {Buffer[]} */
    this._fragments = [];

    this._errored = false;
    /** True while startLoop() runs. */
    this._loop = false;
    this._state = INFO;
  }

  /**
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {Callback} callback called when the events of the chunk have been emitted
   */
  _write(chunk, _encoding, callback) {
    if (this._opcode === Opcode.CLOSE && this._state === INFO) {
      callback();
      return;
    }
    if (this._maxBufferedChunks > 0 && this._buffers.length >= this._maxBufferedChunks) {
      callback(protocolError(this, 'CHUNKS', 'Too many buffered chunks'));
      return;
    }
    this._bufferedBytes += chunk.length;
    this._buffers.push(chunk);
    this.startLoop(callback);
  }

  /**
   * Removes bytes from the front of the buffered chunks.
   *
   * @param {number} count at most `_bufferedBytes`
   * @returns {Buffer} a view if one chunk holds all of them, else a copy
   */
  consume(count) {
    this._bufferedBytes -= count;
    if (this._buffers[0].length >= count) return takeFrom(this._buffers, count);

    const target = Buffer.allocUnsafe(count);
    let filled = 0;
    while (filled < count) {
      const part = takeFrom(this._buffers, Math.min(this._buffers[0].length, count - filled));
      target.set(part, filled);
      filled += part.length;
    }
    return target;
  }

  /** Parses the buffered chunks. @param {Callback} callback */
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
          // Resumed when the fragment has been inflated or the event emitted.
          this._loop = false;
          return;
      }
    }
    if (!this._errored) callback();
  }

  /** Parses the first two bytes of a frame. @param {Callback} callback */
  getInfo(callback) {
    if (!hasBytes(this, 2)) return;
    const [first, second] = this.consume(2);
    const isCompressed = (first & 0x40) !== 0;
    if ((first & 0x30) !== 0) {
      callback(protocolError(this, 'RSV23', 'RSV2 and RSV3 must be clear'));
      return;
    }
    if (isCompressed && !this._extensions[PerMessageDeflate.extensionName]) {
      callback(protocolError(this, 'RSV1', 'RSV1 must be clear'));
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
      callback(protocolError(this, 'LENGTH', text));
      return;
    }
    this._payloadLength = upper * 2 ** 32 + bytes.readUInt32BE(4);
    this.haveLength(callback);
  }

  /** Checks the payload length against `maxPayload`. @param {Callback} callback */
  haveLength(callback) {
    if (this._opcode < Opcode.CLOSE && this._payloadLength > 0) {
      this._totalPayloadLength += this._payloadLength;
      if (isTooLarge(this, this._totalPayloadLength)) {
        callback(protocolError(this, 'MAX_PAYLOAD', 'Max payload size exceeded'));
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

  /** Reads and unmasks the payload. @param {Callback} callback */
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
      callback(protocolError(this, 'CHUNKS', 'Too many message fragments'));
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
            callback(protocolError(this, 'MAX_PAYLOAD', 'Max payload size exceeded'));
            return;
          }
          this._fragments.push(output);
        }
        this.dataMessage(callback);
        if (this._state === INFO) this.startLoop(callback);
      }
    );
  }

  /** Handles a data frame, and emits the message if the frame is its last. @param {Callback} callback */
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
      callback(protocolError(this, 'UTF8', 'invalid UTF-8 sequence'));
      return;
    }
    emitInTurn(this, isInflated, callback, 'message', text, false);
  }

  /**
   * Handles a control frame.
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
        callback(protocolError(this, 'CLOSE_CODE', `invalid status code ${code}`));
        return;
      }
      reason = new FastBuffer(data.buffer, data.byteOffset + 2, data.length - 2);
      if (!this._skipUTF8Validation && !isValidUTF8(reason)) {
        callback(protocolError(this, 'UTF8', 'invalid UTF-8 sequence'));
        return;
      }
    }
    this._loop = false;
    this.emit('conclude', code, reason);
    this.end();
    this._state = INFO;
  }

  /**
   * Creates a protocol error and stops parsing.
   *
   * @param {ErrorConstructor} ErrorClass
   * @param {string} message
   * @param {boolean} isPrefixed true: the message begins with "Invalid WebSocket frame: "
   * @param {number} status close status to send
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
 * Removes bytes from the front of the first chunk.
 *
 * @param {Buffer[]} chunks
 * @param {number} count at most the length of the first chunk
 * @returns {Buffer} a view
 */
function takeFrom(chunks, count) {
  const [first] = chunks;
  if (first.length === count) return /** @type {Buffer} */ (chunks.shift());
  const { buffer, byteOffset, length } = first;
  chunks[0] = new FastBuffer(buffer, byteOffset + count, length - count);
  return new FastBuffer(buffer, byteOffset, count);
}

/**
 * Converts a binary message to the receiver's `binaryType`.
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
 * Emits an event: immediately, or in its own macrotask without `allowSynchronousEvents`.
 *
 * @param {any} receiver
 * @param {boolean} isDeferred true if the event has its own macrotask already
 * @param {Callback} callback
 * @param {string} event
 * @param {...any} args
 */
function emitInTurn(receiver, isDeferred, callback, event, ...args) {
  // Replayed events have had their macrotask in the transport's queue.
  if (isDeferred || receiver._allowSynchronousEvents || receiver[kTransport]?.isReplaying) {
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

/** The original methods that parse, by name. @type {[string, any][]} */
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
