'use strict';

/*
 * The stream transport: a Node Duplex carries the bytes. It serves every socket that the addon cannot
 * take over: TLS, pipes of other makers, HTTP/2 streams, test duplexes.
 */

const { Transport } = require('./base-transport');
const { createError } = require('../errors');
const { flushStreamLater, runStreamDelivery } = require('./flush-scheduler');
const native = require('../native');
const { takeOutput } = require('./record-reader');
const { kTransport, kWebSocket } = require('../constants');

/**
 * Methods of a socket that may overtake what a connection has queued.
 *
 * @type {('write' | 'end' | 'destroy')[]}
 */
const OVERTAKING = ['write', 'end', 'destroy'];

/** Properties of a socket that tell how much has been written to it, or waits for that. */
const WRITTEN_AMOUNTS = ['bufferSize', 'bytesWritten', 'writableLength', 'writableNeedDrain'];

class StreamTransport extends Transport {
  /**
   * @param {any} websocket
   * @param {import('./base-transport').Socket} socket
   * @param {number} configuration see configurations.js
   * @param {boolean} isSynchronous
   * @param {any} [parser] a Receiver that parses in the place of the addon
   */
  constructor(websocket, socket, configuration, isSynchronous, parser) {
    super(websocket, socket, configuration, isSynchronous);
    /** @type {any} undefined: the addon parses */
    this.parser = parser;
    if (parser !== undefined) this.receiver = parser;
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
    if (Object.hasOwn(this.socket, 'write')) this.originalWrite = this.socket.write;
    for (const name of OVERTAKING) this.flushBefore(name);
    for (const name of WRITTEN_AMOUNTS) this.flushBeforeReading(name);
    this.guardedWrite = this.socket.write;
    if (head.length > 0) this.socket.unshift(head);
    this.listen();
  }

  /** Has what the socket reads parsed. */
  listen() {
    this.socket.on('data', this.parser === undefined ? socketOnData : socketOnDataToParse);
  }

  /**
   * Whoever holds the socket may write to it, or end it, right after a send(): what was sent goes first.
   *
   * @param {'write' | 'end' | 'destroy'} name
   */
  flushBefore(name) {
    const transport = this;
    const { socket } = this;
    // A method of the prototype may be replaced there later.
    const own = Object.hasOwn(socket, name) ? socket[name] : undefined;
    Object.defineProperty(this.socket, name, {
      configurable: true,
      writable: true,
      /** @this {any} @param {any[]} args */
      value: function (...args) {
        transport.flush();
        if (name === 'destroy') transport.noteWritten();
        const original = own ?? Object.getPrototypeOf(socket)[name];
        return original.apply(this, args);
      }
    });
  }

  /**
   * A program that asks the socket how much has been written to it, right after a send(), is told of that, too.
   *
   * @param {string} name of a property
   */
  flushBeforeReading(name) {
    const transport = this;
    const { socket } = this;
    const prototype = Object.getPrototypeOf(socket);
    if (!(name in prototype) || Object.hasOwn(socket, name)) return;
    Object.defineProperty(socket, name, {
      configurable: true,
      /** @this {any} */
      get() {
        transport.flush();
        return Reflect.get(prototype, name, this);
      },
      /** @this {any} @param {unknown} value */
      set(value) {
        Object.defineProperty(this, name, {
          configurable: true,
          enumerable: true,
          value,
          writable: true
        });
      }
    });
  }

  flushLater() {
    if (!this.isReplaced) {
      flushStreamLater(this);
    } else {
      // A program that has replaced write() expects a send() to call it.
      this.isDirty = true;
      this.flush();
    }
  }

  /** Whether a program has replaced a member that ws would call for each message. */
  get isReplaced() {
    const { socket } = this;
    return (
      socket.write !== this.guardedWrite ||
      Object.hasOwn(socket, 'cork') ||
      Object.hasOwn(socket, 'uncork')
    );
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
      const hasLostDescriptor = socket.destroyed && total > this.written;
      this.settle(total, !error && hasLostDescriptor ? createError('STREAM_DESTROYED') : error);
    });
    this.noteWritten();
  }

  /** @param {number} total */
  completeUpTo(total) {
    if (!this.hasCallbacks) return;
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
    if (!this.isReplaced) {
      const write = this.originalWrite ?? Object.getPrototypeOf(socket).write;
      write.call(socket, output, callback);
    } else {
      this.writeCorked(output, callback);
    }
  }

  /**
   * Writes through the members that the socket has now, those that ws calls.
   *
   * @param {Buffer} output
   * @param {((error?: Error | null) => void) | undefined} callback
   */
  writeCorked(output, callback) {
    const { socket } = this;
    socket.cork();
    socket.write(output, callback);
    socket.uncork();
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

  get isEmpty() {
    const { parser } = this;
    if (parser === undefined) return super.isEmpty;
    return parser.writableFinished || parser._writableState.errorEmitted;
  }

  /** The socket goes on by the receiver's `drain`. */
  handleEmpty() {
    if (this.parser === undefined) super.handleEmpty();
  }

  stopReading() {
    if (this.parser !== undefined) this.socket.removeListener('data', socketOnDataToParse);
  }

  /** Lets the WebSocket close when the receiver has emitted what it has. */
  endParsing() {
    const { parser, socket, websocket } = this;
    this.stopReading();
    if (!socket.readableEnded && !websocket._closeFrameReceived && !this.hasFailed) {
      const chunk = socket.readableLength > 0 ? socket.read(socket.readableLength) : null;
      if (chunk !== null) parser.write(chunk);
    }
    for (const event of ['finish', 'error']) parser.on(event, () => this.finish());
  }

  /**
   * @param {Buffer | string} chunk a string if a program has set an encoding
   */
  received(chunk) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    runStreamDelivery(this, native.receive(this.id, bytes));
    this.throttle();
  }

  handleSocketClose() {
    if (this.parser !== undefined) {
      this.endParsing();
      super.handleSocketClose();
      return;
    }
    this.socket.removeListener('data', socketOnData);
    try {
      this.readRest();
    } finally {
      super.handleSocketClose();
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
 * @this {import('./base-transport').Socket}
 * @param {Buffer} chunk
 */
function socketOnData(chunk) {
  const transport = /** @type {StreamTransport} */ (this[kWebSocket][kTransport]);
  transport.received(chunk);
}

/**
 * @this {import('./base-transport').Socket}
 * @param {Buffer} chunk
 */
function socketOnDataToParse(chunk) {
  const websocket = this[kWebSocket];
  if (websocket._receiver.write(chunk)) return;
  websocket[kTransport].isThrottled = true;
  this.pause();
}

module.exports = { StreamTransport };
