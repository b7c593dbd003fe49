'use strict';

/*
 * The stream transport: a Node Duplex carries the bytes. It serves every socket that the addon cannot
 * take over: TLS, pipes of other makers, HTTP/2 streams, test duplexes.
 */

const { Transport } = require('./transport');
const { createError } = require('../errors');
const { flushStreamLater } = require('./flushing');
const { kWebSocket } = require('../constants');

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
   * @param {import('../native').ConnectionOptions} options
   * @param {boolean} isSynchronous
   */
  constructor(websocket, socket, options, isSynchronous) {
    super(websocket, socket, options, isSynchronous);
    /** Whether the output is on the list of flushing.js. */
    this.isDirty = false;
    /** Bytes given to the socket. */
    this.given = 0;
  }

  /**
   * Starts reading.
   *
   * @param {Buffer} head bytes that have already been read from the socket
   */
  start(head) {
    for (const name of OVERTAKING) this.flushBefore(name);
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
    const output = this.connection.takeOutput();
    if (output === null) return;

    const { socket } = this;
    const { length } = output;
    const total = (this.given += length);
    let isTaken = false;
    socket.write(output, (error) => {
      // A socket that is destroyed calls back without an error for what was on its way.
      if (!isTaken && !error && socket.destroyed) error = createError('STREAM_DESTROYED');
      this.written(length, total, error);
    });
    isTaken = socket.writableLength === 0;
  }

  /**
   * @param {number} length bytes of one write
   * @param {number} total running total at its end
   * @param {Error | null} [error]
   */
  written(length, total, error) {
    this.connection.written(length);
    this.settle(total, error);
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
    if (socket.readableEnded || websocket._closeFrameReceived || websocket._hasFailed) return;
    if (socket.readableLength === 0) return;
    const chunk = socket.read(socket.readableLength);
    if (chunk !== null) this.delivery.read(this.connection.receive(chunk));
  }
}

/**
 * @this {import('./transport').Socket}
 * @param {Buffer} chunk
 */
function socketOnData(chunk) {
  const transport = /** @type {StreamTransport} */ (this[kWebSocket]._transport);
  transport.delivery.read(transport.connection.receive(chunk));
  transport.throttle();
}

module.exports = { StreamTransport };
