'use strict';

/*
 * `ws._sender`: the Sender of a connection. Its FrameWriter frames, compresses and writes through the transport, in place of
 * Sender.frame(), PerMessageDeflate and socket.write(). WebSocket.send() bypasses both (send.js) while nothing is queued in the
 * Sender and no method of it is replaced.
 */

const events = require('./websocket-events');
const originals = require('../node/originals');
const { Opcode, createCloseBody, endsMessage, kByteLength } = require('./frame');
const { SendFlag } = require('../native');
const { kFrameWriter, kTransport, kWebSocket } = require('../constants');
const { toBuffer } = require('../buffer-util');

/**
 * Messages of at least this many bytes are compressed on another thread. Measured: the round trip costs 50 us, compressing 64
 * KiB takes 550 us, four fifths of which leave this thread. From this size on, a message that refers to no message before it
 * does not become larger.
 */
const OFF_THREAD_LENGTH = 64 * 1024;

/** @typedef {((error?: Error | null) => void) | undefined} Callback */

/** The link from a Sender to the transport of its connection. */
class FrameWriter {
  /** @param {any} transport */
  constructor(transport) {
    this.transport = transport;
    /** True once frames are built in JavaScript: a program has replaced a method that builds them. */
    this.isBypassed = false;
    /** Fails the message that is being compressed on another thread. @type {(() => void) | null} */
    this.abortCompression = null;
  }

  /**
   * Frames and sends a payload. The connection itself tracks the fragments of a message.
   *
   * @param {any} sender
   * @param {Buffer | string} data
   * @param {any} options of the frame
   * @param {boolean} compress
   * @param {Callback} callback
   */
  writePayload(sender, data, options, compress, callback) {
    const { transport } = this;
    const { mask, opcode } = options;
    const flags = flagsOf(options, compress);
    const key = mask ? maskingKey(sender) : undefined;

    if (opcode > Opcode.CLOSE) {
      transport.control(opcode === Opcode.PING ? 'ping' : 'pong', data, flags, key, callback);
    } else if (opcode !== Opcode.CLOSE) {
      transport.send(data, flags, key, callback);
    } else {
      const body = toBuffer(data);
      const code = body.length === 0 ? 0 : body.readUInt16BE(0);
      transport.close(code, body.subarray(2), flags, key, callback);
    }
  }

  /**
   * Compresses a large message on another thread.
   *
   * @param {any} sender
   * @param {Buffer | string} data
   * @param {any} options of the frame
   * @param {Callback} callback
   * @param {(isClosed: boolean, send: () => void) => void} finish called once, when the message is compressed or the socket
   *   has closed; calls `send` unless it has
   * @returns {boolean} false: the message is to be compressed by writePayload()
   */
  compressOffThread(sender, data, options, callback, finish) {
    if (options[kByteLength] < OFF_THREAD_LENGTH) return false;
    const { transport } = this;
    const flags = flagsOf(options, true);
    let isFinished = false;
    const send = () => {
      transport.sendDeflated(flags, options.mask ? maskingKey(sender) : undefined, callback);
    };
    /** @param {boolean} isClosed */
    const end = (isClosed) => {
      if (isFinished) return;
      isFinished = true;
      this.abortCompression = null;
      finish(isClosed, send);
      // The message has been delayed already: it does not wait for the end of the tick.
      if (!isClosed) transport.flush();
    };
    const isStarted = transport.connection.deflate(data, flags, () =>
      end(sender._socket.destroyed)
    );
    if (isStarted) this.abortCompression = () => end(true);
    return isStarted;
  }

  /**
   * Writes the pieces of a frame that was built in JavaScript.
   *
   * @param {(Buffer | string)[]} list
   * @param {Callback} callback
   */
  writeFrame(list, callback) {
    const pieces = list.map(toBuffer);
    const [header] = pieces;
    if (header !== undefined && endsMessage(header)) this.transport.messagesSent++;
    this.transport.write(pieces, callback);
  }
}

/**
 * @param {any} transport of an open WebSocket
 * @param {any} SenderClass the class Sender, or the one that a tracer has put in its place
 * @returns {any} the `_sender` of the WebSocket
 */
function createConnectionSender(transport, SenderClass) {
  const { generateMask, socket, websocket } = transport;
  const sender = new SenderClass(socket, websocket._extensions, generateMask);
  sender[kWebSocket] = websocket;
  sender[kFrameWriter] = new FrameWriter(transport);
  sender._firstFragment = !transport.isFragmenting;
  sender.onerror = senderOnError;
  return sender;
}

/**
 * Sends a close frame: by the addon alone while the program has neither accessed nor replaced anything of the Sender.
 *
 * @param {any} ws a WebSocket with a connection
 * @param {any} code
 * @param {any} reason
 * @param {(error?: Error | null) => void} callback
 * @throws {TypeError | RangeError} on a code or reason that may not be sent
 */
function sendClose(ws, code, reason, callback) {
  const transport = ws[kTransport];
  const mask = !ws._isServer;
  if (
    transport.sender !== null ||
    transport.generateMask !== undefined ||
    !originals.sender.hasOriginalClose()
  ) {
    ws._sender.close(code, reason, mask, callback);
    return;
  }
  const body = createCloseBody(code, reason);
  const flags = SendFlag.FIN | (mask ? SendFlag.MASK : 0);
  transport.close(code ?? 0, body.subarray(2), flags, undefined, callback);
}

/** @this {any} a Sender @param {Error} error */
function senderOnError(error) {
  events.onSendError(this[kWebSocket], error);
}

/** @param {any} sender @returns {Buffer | undefined} undefined: the addon draws a random key */
function maskingKey(sender) {
  if (!sender._generateMask) return undefined;
  sender._generateMask(sender._maskBuffer);
  return sender._maskBuffer;
}

/**
 * @param {any} options of a frame
 * @param {boolean} compress
 * @returns {number} flags of the transport's command
 */
function flagsOf({ fin, mask, opcode }, compress) {
  let flags = 0;
  if (opcode === Opcode.BINARY) flags |= SendFlag.BINARY;
  if (compress) flags |= SendFlag.COMPRESS;
  if (fin) flags |= SendFlag.FIN;
  if (mask) flags |= SendFlag.MASK;
  return flags;
}

module.exports = { OFF_THREAD_LENGTH, createConnectionSender, maskingKey, sendClose };
