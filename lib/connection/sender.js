'use strict';

/*
 * `ws._sender`: the Sender of a connection, and its carrier, by which the connection's transport frames, compresses and writes
 * in its place. WebSocket.send() goes past both as long as nothing waits in the Sender and no program has replaced a method.
 */

const events = require('./websocket-events');
const { endsMessage } = require('./frame');
const { Opcode, failCalls, kByteLength } = require('./send-job');
const { SendFlag } = require('../native');
const { createError } = require('../errors');
const { kFrameWriter, kWebSocket } = require('../constants');
const { toBuffer } = require('../buffer-util');

/**
 * Bytes from which a message is compressed on another thread. Measured: to go there and back costs 50 us, where compressing
 * 64 KiB takes 550, four fifths of which leave this thread; and what refers to nothing before it is no larger from here on.
 */
const DEFLATED_ELSEWHERE = 64 * 1024;

/** As Sender has it: a message is being compressed. */
const IDLE = 0;
const DEFLATING = 1;

/** @typedef {((error?: Error | null) => void) | undefined} Callback */

/** What a Sender has of the connection that it belongs to. */
class Carrier {
  /** @param {any} transport */
  constructor(transport) {
    this.transport = transport;
    /** Whether frames are made in JavaScript from now on: a program has a say in them. */
    this.isLeft = false;
    /**
     * Fails what is being compressed on another thread.
     *
     * @type {(() => void) | null}
     */
    this.abandon = null;
  }

  /**
   * Frames and sends a payload. The connection knows itself whether it continues a message.
   *
   * @param {any} sender
   * @param {Buffer | string} data
   * @param {any} options of the frame
   * @param {boolean} compress
   * @param {Callback} callback
   */
  sendPayload(sender, data, options, compress, callback) {
    const { transport } = this;
    const { mask, opcode } = options;
    const flags = flagsOf(options, compress);
    const key = mask ? maskingKey(sender) : undefined;

    if (opcode === Opcode.PING) {
      transport.ping(data, flags, key, callback);
    } else if (opcode === Opcode.PONG) {
      transport.pong(data, flags, key, callback);
    } else if (opcode !== Opcode.CLOSE) {
      transport.send(data, flags, key, callback);
    } else {
      const body = toBuffer(data);
      const code = body.length === 0 ? 0 : body.readUInt16BE(0);
      transport.close(code, body.subarray(2), flags, key, callback);
    }
  }

  /**
   * Compresses a large message on another thread, and sends it when that is done.
   *
   * @param {any} sender
   * @param {Buffer | string} data
   * @param {any} options of the frame
   * @param {Callback} callback
   * @returns {boolean} false: it is to be compressed when it is sent
   */
  compressElsewhere(sender, data, options, callback) {
    const { transport } = this;
    const { [kByteLength]: byteLength } = options;
    if (byteLength < DEFLATED_ELSEWHERE) return false;

    const flags = flagsOf(options, true);
    let isOver = false;
    /** @param {boolean} isLost whether the socket has closed */
    const settle = (isLost) => {
      if (isOver) return;
      isOver = true;
      this.abandon = null;
      if (isLost) {
        failCalls(sender, createError('CLOSED_COMPRESSING'), callback);
        return;
      }
      sender._bufferedBytes -= byteLength;
      sender._state = IDLE;
      transport.sendDeflated(flags, options.mask ? maskingKey(sender) : undefined, callback);
      sender.dequeue();
      // It has waited long enough: it leaves at once.
      transport.flush();
    };
    const isStarted = transport.connection.deflate(data, flags, () =>
      settle(sender._socket.destroyed)
    );
    if (!isStarted) return false;
    this.abandon = () => settle(true);
    sender._bufferedBytes += byteLength;
    sender._state = DEFLATING;
    return true;
  }

  /**
   * Writes the pieces of a frame that was made in JavaScript.
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
 * @param {any} SenderClass the class Sender, or what a tracer has put in its place
 * @returns {any} its `_sender`
 */
function createConnectionSender(transport, SenderClass) {
  const { generateMask, socket, websocket } = transport;
  const sender = new SenderClass(socket, websocket._extensions, generateMask);
  sender[kWebSocket] = websocket;
  sender[kFrameWriter] = new Carrier(transport);
  sender._firstFragment = !transport.isContinued;
  sender.onerror = senderOnError;
  return sender;
}

/**
 * @this {any} a Sender
 * @param {Error} error
 */
function senderOnError(error) {
  events.onSendError(this[kWebSocket], error);
}

/**
 * @param {any} sender
 * @returns {Buffer | undefined} undefined: the addon draws one
 */
function maskingKey(sender) {
  if (!sender._generateMask) return undefined;
  sender._generateMask(sender._maskBuffer);
  return sender._maskBuffer;
}

/**
 * @param {any} options of a frame
 * @param {boolean} compress
 * @returns {number} flags of the command that sends it
 */
function flagsOf({ fin, mask, opcode }, compress) {
  let flags = 0;
  if (opcode === Opcode.BINARY) flags |= SendFlag.BINARY;
  if (compress) flags |= SendFlag.COMPRESS;
  if (fin) flags |= SendFlag.FIN;
  if (mask) flags |= SendFlag.MASK;
  return flags;
}

module.exports = { DEFLATED_ELSEWHERE, createConnectionSender, maskingKey };
