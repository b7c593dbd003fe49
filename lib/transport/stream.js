'use strict';

/*
 * The stream transport: a Node Duplex carries the bytes. It serves every socket that the addon cannot
 * take over: TLS, pipes of other makers, HTTP/2 streams, test duplexes.
 */

const { Transport } = require('./transport');
const { createError } = require('../errors');
const { flushStreamLater, readDelivered } = require('./flushing');
const native = require('../native');
const { takeOutput } = require('./records');
const { kTransport, kWebSocket } = require('../constants');

/**
 * Methods of a socket that may overtake what a connection has queued.
 *
 * @type {('write' | 'end' | 'destroy')[]}
 */
const OVERTAKING = ['write', 'end', 'destroy'];

class StreamTransport extends Transport {
  /**
   * @param {any} websocket
   * @param {import('./transport').Socket} socket
   * @param {number} configuration see configurations.js
   * @param {boolean} isSynchronous
   */
  constructor(websocket, socket, configuration, isSynchronous) {
    super(websocket, socket, configuration, isSynchronous);
    this.object = native.createConnection(configuration);
    this.id = this.object.id;
    /** Whether the output is on the list of flushing.js. */
    this.isDirty = false;
    /** Bytes given to the socket. */
    this.given = 0;
    /** Those of them that it had written when that was last looked at. */
    this.written = 0;
    /**
     * The socket's own write(), and what has been put in its place.
     *
     * @type {Function | undefined}
     */
    this.originalWrite = undefined;
    /** @type {Function | undefined} */
    this.guardedWrite = undefined;
  }

  /**
   * Starts reading.
   *
   * @param {Buffer} head bytes that have already been read from the socket
   */
  start(head) {
    this.originalWrite = this.socket.write;
    for (const name of OVERTAKING) this.flushBefore(name);
    this.guardedWrite = this.socket.write;
    if (head.length > 0) this.socket.unshift(head);
    this.socket.on('data', socketOnData);
  }

  /**
   * Whoever holds the socket may write to it, or end it, right after a send(): what was sent goes first.
   *
   * @param {'write' | 'end' | 'destroy'} name
   */
  flushBefore(name) {
    const transport = this;
    /** @type {Function} */
    const original = this.socket[name];
    Object.defineProperty(this.socket, name, {
      configurable: true,
      writable: true,
      /** @this {any} @param {any[]} args */
      value: function (...args) {
        transport.flush();
        if (name === 'destroy') transport.noteWritten();
        return original.apply(this, args);
      }
    });
  }

  flushLater() {
    flushStreamLater(this);
  }

  /** Writes what is queued. */
  flush() {
    if (!this.isDirty) return;
    this.isDirty = false;
    const output = takeOutput(this);
    if (output === null) return;
    const total = (this.given += output.length);
    if (this.callbacks === null || this.callbacks.isEmpty) this.writeToSocket(output, undefined);
    else this.writeAndSettle(output, total);
  }

  /**
   * @param {Buffer} output
   * @param {number} total running total at its end
   */
  writeAndSettle(output, total) {
    const { socket } = this;
    this.writeToSocket(output, (error) => {
      // A socket that is destroyed calls back without an error for what was on its way.
      const isLost = socket.destroyed && total > this.written;
      this.settle(total, !error && isLost ? createError('STREAM_DESTROYED') : error);
    });
    this.noteWritten();
  }

  /** @param {number} total */
  settleUpTo(total) {
    if (!this.isAwaited) return;
    this.flush();
    const { socket } = this;
    const isWritten = socket.writableLength === 0 && !socket.errored && !socket.destroyed;
    if (isWritten && total <= this.given) this.settle(total);
  }

  /** When nothing is queued, all has been written, also where the callback that says so is still to come. */
  noteWritten() {
    if (this.socket.writableLength === 0) this.written = this.given;
  }

  /**
   * Writes without asking itself whether something goes first. Whoever has replaced write() in the meantime is asked.
   *
   * @param {Buffer} output
   * @param {((error?: Error | null) => void) | undefined} callback
   */
  writeToSocket(output, callback) {
    const { socket } = this;
    if (socket.write === this.guardedWrite) {
      /** @type {Function} */ (this.originalWrite).call(socket, output, callback);
    } else {
      socket.write(output, callback);
    }
  }

  /** What the connection holds, and what the socket does. */
  get queuedBytes() {
    return super.queuedBytes + this.socket.writableLength;
  }

  /** Bytes queued for the peer that the kernel has not taken. */
  get bufferedAmount() {
    this.flush();
    return this.socket.writableLength;
  }

  socketClosed() {
    this.socket.removeListener('data', socketOnData);
    try {
      this.readRest();
    } finally {
      super.socketClosed();
    }
  }

  /** What a paused socket has kept back is still to be delivered. */
  readRest() {
    const { socket, websocket } = this;
    if (socket.readableEnded || websocket._closeFrameReceived || this.hasFailed) return;
    if (socket.readableLength === 0) return;
    const chunk = socket.read(socket.readableLength);
    if (chunk !== null) this.read(native.receive(this.id, chunk));
  }
}

/**
 * @this {import('./transport').Socket}
 * @param {Buffer} chunk
 */
function socketOnData(chunk) {
  const transport = /** @type {StreamTransport} */ (this[kWebSocket][kTransport]);
  readDelivered(transport, native.receive(transport.id, chunk));
  transport.throttle();
}

module.exports = { StreamTransport };
