'use strict';

/*
 * The Sender: sends messages, control frames and close frames first in, first out, also when a Blob must be read or a message
 * compressed before it can leave. Used alone it builds frames (connection/frame.js) and writes them to any stream. That of a
 * connection has a FrameWriter (connection/sender.js), which does both through the transport.
 *
 * Programs and tracers wrap these methods and read these properties: names, arguments and order are those of ws.
 */

const originals = require('./node/originals');
const PerMessageDeflate = require('./permessage-deflate');
const { NOOP, kFrameWriter, kWebSocket } = require('./constants');
const {
  MAX_CONTROL_PAYLOAD,
  Opcode,
  createCloseBody,
  createFrameOptions,
  frame,
  kByteLength,
  measure
} = require('./connection/frame');
const { createError } = require('./errors');
const { debug } = require('./transport/debug');
const { isBlob } = require('./validation');
const { toBuffer } = require('./buffer-util');
const { nextTick } = require('./node/schedule');

/** Values of `_state`. */
const IDLE = 0;
const DEFLATING = 1;
const READING_BLOB = 2;

/** @typedef {((error?: Error | null) => void) | undefined} Callback */
/** @typedef {any} FrameOptions see connection/frame.js */

class Sender {
  /**
   * @param {any} socket a Duplex or Writable
   * @param {Record<string, any>} [extensions] negotiated extensions, by name
   * @param {(key: Buffer) => void} [generateMask] fills in the masking key of each masked frame, 4 bytes
   */
  constructor(socket, extensions, generateMask) {
    this._extensions = extensions || {};
    if (generateMask) {
      this._generateMask = generateMask;
      this._maskBuffer = Buffer.alloc(4);
    }
    this._socket = socket;
    this._firstFragment = true;
    /** True if the message that is being sent is compressed. */
    this._compress = false;
    /** Payload bytes of the queued calls, and of the Blob or message in progress. */
    this._bufferedBytes = 0;
    /**
     * Calls in order: a method and its arguments, the third of which are frame options.
     *
     * @type {any[][]}
     */
    this._queue = [];
    this._state = IDLE;
    /** @type {(error: Error) => void} */
    this.onerror = NOOP;
    /** @type {any} */
    const self = this;
    /** The WebSocket of the connection, if any. */
    self[kWebSocket] = undefined;
    Object.defineProperty(self, kFrameWriter, { value: null, writable: true });
  }

  /**
   * Frames a payload: frame() of connection/frame.js.
   *
   * @param {Buffer | string} data
   * @param {FrameOptions} options
   * @returns {(Buffer | string)[]} pieces to write in order
   */
  static frame(data, options) {
    return frame(data, options);
  }

  /**
   * Sends a close frame.
   *
   * @param {number} [code] undefined: a close frame without payload
   * @param {string | Uint8Array} [reason] at most 123 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   * @throws {TypeError | RangeError} on a code or reason that may not be sent
   */
  close(code, reason, mask, callback) {
    const data = createCloseBody(code, reason);
    const options = createFrameOptions(this, Opcode.CLOSE, data.length, mask, false);
    sendFramed(this, data, options, callback);
  }

  /**
   * @param {any} data as for send(), at most 125 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   */
  ping(data, mask, callback) {
    sendControl(this, Opcode.PING, data, mask, callback);
  }

  /**
   * @param {any} data as for send(), at most 125 bytes
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
   * @throws {TypeError} ERR_INVALID_ARG_TYPE on other data
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
    const { [kFrameWriter]: writer } = /** @type {any} */ (this);
    if (writer !== null) writer.transport.isFragmenting = !this._firstFragment;

    const ofFrame = createFrameOptions(this, opcode, byteLength, options.mask, readOnly);
    ofFrame.fin = options.fin;
    ofFrame.rsv1 = rsv1;
    const start = isBlob(payload) ? this.getBlobData : this.dispatch;
    if (this._state !== IDLE) {
      this.enqueue([start, payload, this._compress, ofFrame, callback]);
    } else {
      start.call(this, payload, this._compress, ofFrame, callback);
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
   * Sends the payload at the head of the queue.
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
    /** @param {boolean} isClosed @param {() => void} send */
    const finish = (isClosed, send) => {
      if (isClosed) {
        failCalls(this, createError('CLOSED_COMPRESSING'), callback);
        return;
      }
      this._bufferedBytes -= options[kByteLength];
      this._state = IDLE;
      send();
      this.dequeue();
    };

    const writer = frameWriterOf(this);
    if (writer !== null && originals.deflate.hasOriginalCompress(deflate)) {
      if (writer.compressOffThread(this, data, options, callback, finish)) {
        this._bufferedBytes += options[kByteLength];
        this._state = DEFLATING;
      } else {
        writeFrame(this, data, options, true, callback);
        this.dequeue();
      }
      return;
    }

    bypassFrameWriter(this);
    this._bufferedBytes += options[kByteLength];
    this._state = DEFLATING;
    deflate.compress(
      data,
      options.fin,
      (/** @type {any} */ _error, /** @type {Buffer} */ output) => {
        finish(this._socket.destroyed, () => {
          options.readOnly = false;
          writeFrame(this, output, options, false, callback);
        });
      }
    );
  }

  /** Runs queued calls until one of them has to wait. */
  dequeue() {
    while (this._state === IDLE && this._queue.length > 0) {
      const [start, ...args] = /** @type {any[]} */ (this._queue.shift());
      this._bufferedBytes -= args[2][kByteLength];
      Reflect.apply(start, this, args);
    }
  }

  /** Queues a call behind the one in progress. @param {any[]} call see `_queue` */
  enqueue(call) {
    this._bufferedBytes += call[3][kByteLength];
    this._queue.push(call);
  }

  /**
   * Writes a frame.
   *
   * @param {(Buffer | string)[]} list pieces of the frame; not changed
   * @param {Callback} [callback]
   */
  sendFrame(list, callback) {
    /** @type {any} */
    const { _socket: socket, [kFrameWriter]: writer } = /** @type {any} */ (this);
    if (writer !== null) {
      writer.writeFrame(list, callback);
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
 * Sends the content of a Blob.
 *
 * @param {Sender} sender
 * @param {ArrayBuffer} content
 * @param {boolean} compress
 * @param {FrameOptions} options
 * @param {Callback} callback
 */
function sendBlob(sender, content, compress, options, callback) {
  if (sender._socket.destroyed) {
    // In its own tick, so that an exception of a callback does not become an unhandled rejection.
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
 * @param {Sender} sender
 * @param {number} opcode
 * @param {any} data
 * @param {boolean | undefined} mask
 * @param {Callback} callback
 */
function sendControl(sender, opcode, data, mask, callback) {
  const { byteLength, payload, readOnly } = measure(data);
  if (byteLength > MAX_CONTROL_PAYLOAD) throw createError('CONTROL_TOO_LONG');

  const options = createFrameOptions(sender, opcode, byteLength, mask, readOnly);
  if (!isBlob(payload)) sendFramed(sender, payload, options, callback);
  else if (sender._state === IDLE) sender.getBlobData(payload, false, options, callback);
  else sender.enqueue([sender.getBlobData, payload, false, options, callback]);
}

/**
 * Writes a control frame, behind the calls that are queued.
 *
 * @param {Sender} sender
 * @param {Buffer | string} data
 * @param {FrameOptions} options
 * @param {Callback} callback
 */
function sendFramed(sender, data, options, callback) {
  if (sender._state === IDLE) writeFrame(sender, data, options, false, callback);
  else sender.enqueue([sender.dispatch, data, false, options, callback]);
}

/**
 * Frames and writes a payload, through the FrameWriter while no program has replaced a method that builds frames.
 *
 * @param {any} sender
 * @param {Buffer | string} data
 * @param {FrameOptions} options
 * @param {boolean} compress true: the FrameWriter compresses
 * @param {Callback} callback
 */
function writeFrame(sender, data, options, compress, callback) {
  const writer = frameWriterOf(sender);
  if (writer !== null) {
    writer.writePayload(sender, data, options, compress, callback);
    return;
  }
  bypassFrameWriter(sender);
  sender.sendFrame(Sender.frame(data, options), callback);
}

/** @param {any} sender @returns {any} its FrameWriter; null if the Sender builds frames itself */
function frameWriterOf(sender) {
  const writer = sender[kFrameWriter];
  if (writer === null || writer.isBypassed) return null;
  return originals.sender.hasOriginalFraming(sender) ? writer : null;
}

/**
 * Makes a Sender build its frames itself from now on. Permanent: the compression context of the addon does not include
 * messages that JavaScript compresses.
 *
 * @param {any} sender
 */
function bypassFrameWriter(sender) {
  const writer = sender[kFrameWriter];
  if (writer === null || writer.isBypassed) return;
  writer.isBypassed = true;
  debug('connection %d frames in JavaScript: a program replaced a method', writer.transport.id);
}

/**
 * Calls the callback of a failed call, and those of all calls queued behind it.
 *
 * @param {any} sender
 * @param {Error} error
 * @param {Callback} callback
 */
function failCalls(sender, error, callback) {
  // Frames that have left before do not fail.
  sender[kFrameWriter]?.transport.completeWritten();
  if (typeof callback === 'function') callback(error);
  // By index: a callback may add to the queue.
  for (let index = 0; index < sender._queue.length; index++) {
    const queued = sender._queue[index].at(-1);
    if (typeof queued === 'function') queued(error);
  }
}

const { close, dequeue, dispatch, ping, pong, send, sendFrame } = Sender.prototype;
const { frame: originalFrame } = Sender;

// The same comparisons twice: V8 folds those on the constant prototype.

function hasOriginalClass() {
  const { prototype } = Sender;
  return (
    prototype.send === send &&
    prototype.dispatch === dispatch &&
    prototype.dequeue === dequeue &&
    prototype.sendFrame === sendFrame &&
    Sender.frame === originalFrame
  );
}

/** @param {any} sender */
function hasOriginalMembers(sender) {
  return (
    sender.send === send &&
    sender.dispatch === dispatch &&
    sender.dequeue === dequeue &&
    sender.sendFrame === sendFrame &&
    Sender.frame === originalFrame
  );
}

originals.sender = {
  isOriginalClass: (Class) => Class === Sender,
  hasOriginalSend(sender) {
    return sender === null ? hasOriginalClass() : hasOriginalMembers(sender);
  },
  hasOriginalControl(sender, command) {
    const members = sender ?? Sender.prototype;
    return (
      (command === 'ping' ? members.ping === ping : members.pong === pong) &&
      members.sendFrame === sendFrame &&
      Sender.frame === originalFrame
    );
  },
  hasOriginalClose() {
    const { prototype } = Sender;
    return (
      prototype.close === close &&
      prototype.sendFrame === sendFrame &&
      Sender.frame === originalFrame
    );
  },
  hasOriginalFraming: (sender) => sender.sendFrame === sendFrame && Sender.frame === originalFrame
};

module.exports = Sender;
