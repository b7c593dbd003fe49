'use strict';

/*
 * The order of what is sent: messages, control frames and close frames leave first in, first out, also when a Blob has to be
 * read or a message to be compressed first. A Sender writes frames to any stream. That of a connection (connection-sender.js)
 * has a carrier, the connection's transport, which frames, compresses and writes in its place.
 *
 * Programs and tracers wrap these methods and read these properties: their names, arguments and order are those of ws.
 */

const originals = require('./node/originals');
const PerMessageDeflate = require('./permessage-deflate');
const { NOOP, kFrameWriter, kWebSocket } = require('./constants');
const {
  MAX_CONTROL_PAYLOAD,
  Opcode,
  createCloseBody,
  failCalls,
  kByteLength,
  measure
} = require('./connection/send-job');
const { createError } = require('./errors');
const { frame } = require('./connection/frame');
const { isBlob } = require('./validation');
const { toBuffer } = require('./buffer-util');
const { nextTick } = require('./node/schedule');

/** What a sender is doing: nothing, compressing, or reading a Blob. */
const IDLE = 0;
const DEFLATING = 1;
const READING_BLOB = 2;

/** @typedef {((error?: Error | null) => void) | undefined} Callback */
/** @typedef {any} FrameOptions see frame.js */

class Sender {
  /**
   * @param {any} socket a Duplex or Writable
   * @param {Record<string, any>} [extensions] those negotiated, by name
   * @param {(key: Buffer) => void} [generateMask] fills the masking key of each masked frame
   */
  constructor(socket, extensions, generateMask) {
    this._extensions = extensions || {};
    if (generateMask) {
      this._generateMask = generateMask;
      this._maskBuffer = Buffer.alloc(4);
    }
    this._socket = socket;
    this._firstFragment = true;
    /** Whether the message that is being sent is compressed. */
    this._compress = false;
    /** Payload bytes that wait here. */
    this._bufferedBytes = 0;
    /**
     * Calls that wait: a method and its arguments.
     *
     * @type {any[][]}
     */
    this._queue = [];
    this._state = IDLE;
    /** @type {(error: Error) => void} */
    this.onerror = NOOP;
    /** @type {any} */
    const self = this;
    /** The WebSocket, if the sender is that of a connection. */
    self[kWebSocket] = undefined;
    Object.defineProperty(self, kFrameWriter, { value: null, writable: true });
  }

  /**
   * Frames a payload; see frame.js for what comes out.
   *
   * @param {Buffer | string} data
   * @param {FrameOptions} options
   * @returns {(Buffer | string)[]}
   */
  static frame(data, options) {
    return frame(data, options);
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
    const data = createCloseBody(code, reason);
    const options = frameOptions(this, Opcode.CLOSE, data.length, mask, false);
    if (this._state === IDLE) writeFrame(this, data, options, false, callback);
    else this.enqueue([this.dispatch, data, false, options, callback]);
  }

  /**
   * @param {any} data as for send(), up to 125 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   */
  ping(data, mask, callback) {
    sendControl(this, Opcode.PING, data, mask, callback);
  }

  /**
   * @param {any} data as for send(), up to 125 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   */
  pong(data, mask, callback) {
    sendControl(this, Opcode.PONG, data, mask, callback);
  }

  /**
   * Sends a message or a fragment of one.
   *
   * @param {any} data string, Blob, or anything that `Buffer.from()` takes
   * @param {any} options `binary`, `compress`, `fin`, `mask`
   * @param {Callback} [callback]
   * @throws {TypeError} if `data` is of no such type
   */
  send(data, options, callback) {
    const { byteLength, payload, readOnly } = measure(data);
    const deflate = this._extensions[PerMessageDeflate.extensionName];
    let opcode = Opcode.CONTINUATION;
    let rsv1 = false;

    if (this._firstFragment) {
      this._firstFragment = false;
      opcode = options.binary ? Opcode.BINARY : Opcode.TEXT;
      rsv1 = options.compress;
      const side = deflate?._isServer ? 'server' : 'client';
      if (rsv1 && deflate?.params[`${side}_no_context_takeover`]) {
        rsv1 = byteLength >= deflate._threshold;
      }
      this._compress = rsv1;
    }
    if (options.fin) this._firstFragment = true;
    const { [kFrameWriter]: carrier } = /** @type {any} */ (this);
    if (carrier !== null) carrier.transport.isContinued = !this._firstFragment;

    const forFrame = frameOptions(this, opcode, byteLength, options.mask, readOnly);
    forFrame.fin = options.fin;
    forFrame.rsv1 = rsv1;
    const start = isBlob(payload) ? this.getBlobData : this.dispatch;
    if (this._state !== IDLE) {
      this.enqueue([start, payload, this._compress, forFrame, callback]);
    } else {
      start.call(this, payload, this._compress, forFrame, callback);
    }
  }

  /**
   * Reads a Blob, then sends it.
   *
   * @param {Blob} blob
   * @param {boolean} compress
   * @param {FrameOptions} options
   * @param {Callback} callback
   */
  getBlobData(blob, compress, options, callback) {
    this._bufferedBytes += options[kByteLength];
    this._state = READING_BLOB;
    blob
      .arrayBuffer()
      .then((content) => sendBlob(this, content, compress, options, callback))
      .catch((error) => {
        nextTick(() => {
          failCalls(this, error, callback);
          this.onerror(error);
        });
      });
  }

  /**
   * Sends what is in turn, compressed if it is to be.
   *
   * @param {Buffer | string} data
   * @param {boolean} compress
   * @param {FrameOptions} options
   * @param {Callback} callback
   */
  dispatch(data, compress, options, callback) {
    if (!compress) {
      writeFrame(this, data, options, false, callback);
      return;
    }
    const deflate = this._extensions[PerMessageDeflate.extensionName];
    /** @type {any} */
    const carrier = carrierOf(this);
    if (carrier !== null && originals.deflate.hasOriginalCompress(deflate)) {
      if (!carrier.compressElsewhere(this, data, options, callback)) {
        writeFrame(this, data, options, true, callback);
        this.dequeue();
      }
      return;
    }

    leaveCarrier(this);
    this._bufferedBytes += options[kByteLength];
    this._state = DEFLATING;
    deflate.compress(
      data,
      options.fin,
      (/** @type {any} */ _error, /** @type {Buffer} */ output) => {
        if (this._socket.destroyed) {
          failCalls(this, createError('CLOSED_COMPRESSING'), callback);
          return;
        }
        this._bufferedBytes -= options[kByteLength];
        this._state = IDLE;
        options.readOnly = false;
        writeFrame(this, output, options, false, callback);
        this.dequeue();
      }
    );
  }

  /** Makes the calls that have waited, as far as possible. */
  dequeue() {
    while (this._state === IDLE && this._queue.length > 0) {
      const [start, ...args] = /** @type {any[]} */ (this._queue.shift());
      this._bufferedBytes -= args[2][kByteLength];
      Reflect.apply(start, this, args);
    }
  }

  /**
   * Has a call wait for those before it.
   *
   * @param {any[]} call a method and its arguments, the third of which are the options of a frame
   */
  enqueue(call) {
    this._bufferedBytes += call[3][kByteLength];
    this._queue.push(call);
  }

  /**
   * Writes a frame.
   *
   * @param {(Buffer | string)[]} list its pieces; they are not altered
   * @param {Callback} [callback]
   */
  sendFrame(list, callback) {
    /** @type {any} */
    const { _socket: socket, [kFrameWriter]: carrier } = /** @type {any} */ (this);
    if (carrier !== null) {
      carrier.writeFrame(list, callback);
      return;
    }
    const last = list.length - 1;
    if (last > 0) socket.cork();
    list.forEach((piece, index) => {
      if (index === last) socket.write(piece, callback);
      else socket.write(piece);
    });
    if (last > 0) socket.uncork();
  }
}

/**
 * Sends a Blob that has been read.
 *
 * @param {Sender} sender
 * @param {ArrayBuffer} content
 * @param {boolean} compress
 * @param {FrameOptions} options
 * @param {Callback} callback
 */
function sendBlob(sender, content, compress, options, callback) {
  if (sender._socket.destroyed) {
    // In a tick of its own: a throwing callback must not become an unhandled rejection.
    nextTick(failCalls, sender, createError('CLOSED_READING_BLOB'), callback);
    return;
  }
  sender._bufferedBytes -= options[kByteLength];
  sender._state = IDLE;
  const data = toBuffer(content);
  if (compress) {
    sender.dispatch(data, compress, options, callback);
  } else {
    writeFrame(sender, data, options, false, callback);
    sender.dequeue();
  }
}

/**
 * @param {any} sender
 * @param {number} opcode
 * @param {number} byteLength
 * @param {boolean | undefined} mask
 * @param {boolean} readOnly whether the payload may be memory of the program
 * @returns {FrameOptions} of an uncompressed, unfragmented frame
 */
function frameOptions(sender, opcode, byteLength, mask, readOnly) {
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
 * @param {Sender} sender
 * @param {number} opcode
 * @param {any} data
 * @param {boolean | undefined} mask
 * @param {Callback} callback
 */
function sendControl(sender, opcode, data, mask, callback) {
  const { byteLength, payload, readOnly } = measure(data);
  if (byteLength > MAX_CONTROL_PAYLOAD) throw createError('CONTROL_TOO_LONG');

  const options = frameOptions(sender, opcode, byteLength, mask, readOnly);
  const isWaiting = sender._state !== IDLE;
  if (isBlob(payload)) {
    if (isWaiting) sender.enqueue([sender.getBlobData, payload, false, options, callback]);
    else sender.getBlobData(payload, false, options, callback);
  } else if (isWaiting) {
    sender.enqueue([sender.dispatch, payload, false, options, callback]);
  } else {
    writeFrame(sender, payload, options, false, callback);
  }
}

/**
 * Frames and writes what is in turn.
 *
 * @param {any} sender
 * @param {Buffer | string} data
 * @param {FrameOptions} options
 * @param {boolean} compress whether the carrier is to compress it
 * @param {Callback} callback
 */
function writeFrame(sender, data, options, compress, callback) {
  const carrier = carrierOf(sender);
  if (carrier !== null) {
    carrier.sendPayload(sender, data, options, compress, callback);
    return;
  }
  leaveCarrier(sender);
  sender.sendFrame(Sender.frame(data, options), callback);
}

/**
 * @param {any} sender
 * @returns {any} what frames and compresses for it; null: it does so itself, because a program has a say in it
 */
function carrierOf(sender) {
  const carrier = sender[kFrameWriter];
  if (carrier === null || carrier.isLeft) return null;
  return originals.sender.hasOriginalFraming(sender) ? carrier : null;
}

/**
 * From now on a sender frames by itself: what was compressed here is not known to the compressor of the addon.
 *
 * @param {any} sender
 */
function leaveCarrier(sender) {
  if (sender[kFrameWriter] !== null) sender[kFrameWriter].isLeft = true;
}

const { dequeue, dispatch, ping, pong, send, sendFrame } = Sender.prototype;
const { frame: frameAsDefined } = Sender;

/* Two functions with the same body, because what is read off a constant costs nothing. */

function areAllOnClass() {
  const { prototype } = Sender;
  return (
    prototype.send === send &&
    prototype.dispatch === dispatch &&
    prototype.dequeue === dequeue &&
    prototype.sendFrame === sendFrame &&
    Sender.frame === frameAsDefined
  );
}

/** @param {any} sender */
function isUnwrapped(sender) {
  return (
    sender.send === send &&
    sender.dispatch === dispatch &&
    sender.dequeue === dequeue &&
    sender.sendFrame === sendFrame &&
    Sender.frame === frameAsDefined
  );
}

originals.sender = {
  isOriginalClass: (Class) => Class === Sender,
  hasOriginalSend(sender) {
    return sender === null ? areAllOnClass() : isUnwrapped(sender);
  },
  hasOriginalControl(sender, command) {
    const members = sender ?? Sender.prototype;
    return (
      (command === 'ping' ? members.ping === ping : members.pong === pong) &&
      members.sendFrame === sendFrame &&
      Sender.frame === frameAsDefined
    );
  },
  hasOriginalFraming: (sender) => sender.sendFrame === sendFrame && Sender.frame === frameAsDefined
};

module.exports = Sender;
