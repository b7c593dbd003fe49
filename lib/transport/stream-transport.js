'use strict';

/*
 * The transport over a stream: a Node Duplex moves the bytes. Used for every socket that the addon cannot take over: TLS,
 * pipes, HTTP/2 streams, user-defined Duplexes, and sockets with replaced members. Written output is flushed before a program
 * writes to the socket or reads its counters, so that it sees the order and the numbers that ws gives. Created by index.js, and
 * the base class of FallbackTransport (stream-fallback.js). The addon parses and frames.
 */

const net = require('net');
const { Writable } = require('stream');

const { Transport } = require('./base-transport');
const { createError } = require('../errors');
const { flushStreamLater, runStreamDelivery } = require('./flush-scheduler');
const { defineHidden, defineVisible } = require('../node/define');
const { readDirectly } = require('./direct-reader');
const native = require('../native');
const { noteParsed } = require('./time-limits');
const { takeOutput } = require('./record-reader');
const { kTransport, kWebSocket } = require('../constants');

/**
 * Methods of a socket that must not overtake queued output.
 *
 * @type {('write' | 'end' | 'destroy')[]}
 */
const OVERTAKING_METHODS = ['write', 'end', 'destroy'];

/** Properties of a socket that count bytes written to it or waiting in it. */
const WRITE_COUNTERS = ['bufferSize', 'bytesWritten', 'writableLength', 'writableNeedDrain'];

const { _write, _writev } = /** @type {any} */ (net.Socket.prototype);
const originalWrite = Writable.prototype.write;

/** The StreamTransport of a socket. */
const kStream = Symbol('ferrows.stream');

/*
 * The wrappers are the same for all sockets: accessors of its own would make V8 turn a socket into a dictionary, in which
 * every member that Node looks up is slow.
 */

/** Write queued output before a method of the socket. @type {Record<string, Function>} */
const FLUSHING_METHODS = Object.fromEntries(
  OVERTAKING_METHODS.map((name) => [
    name,
    /** @this {any} @param {any[]} args */
    function (...args) {
      const transport = this[kStream];
      transport.flush();
      if (name === 'destroy') transport.noteWritten();
      // A method of the prototype is looked up per call, because it may be replaced later.
      const original = transport.originals[name] ?? Object.getPrototypeOf(transport.socket)[name];
      return original.apply(this, args);
    }
  ])
);

/** Write queued output before a property of the socket is read, so that it counts. @type {PropertyDescriptorMap} */
const FLUSHING_COUNTERS = Object.fromEntries(
  WRITE_COUNTERS.map((name) => [
    name,
    {
      configurable: true,
      /** @this {any} */
      get() {
        const transport = this[kStream];
        transport.flush();
        return Reflect.get(Object.getPrototypeOf(transport.socket), name, this);
      },
      /** @this {any} @param {unknown} value */
      set(value) {
        defineVisible(this, name, value);
      }
    }
  ])
);

class StreamTransport extends Transport {
  /**
   * @param {any} websocket
   * @param {import('./base-transport').Socket} socket
   * @param {import('./config-cache').Config} config
   * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
   * @param {any} [parser] a Receiver that parses in place of the addon
   */
  constructor(websocket, socket, config, isSynchronous, parser) {
    super(websocket, socket, config, isSynchronous);
    /** @type {any} undefined: the addon parses */
    this.parser = parser;
    if (parser !== undefined) this.receiver = parser;
    this.object = native.createConnection(config.id);
    this.id = this.object.id;
    /** True if output is queued and a flush is scheduled. */
    this.isDirty = false;
    /** Bytes passed to the socket. */
    this.given = 0;
    /** Bytes of those that the socket had written when last checked. */
    this.written = 0;
    /**
     * The OVERTAKING_METHODS that a program had defined on the socket before.
     *
     * @type {Record<string, Function | undefined>}
     */
    this.originals = {};
    /**
     * The members of the socket that ws calls for each message, as they are when nothing has been replaced.
     *
     * @type {Record<'write' | 'cork' | 'uncork', Function | undefined>}
     */
    this.members = { write: undefined, cork: undefined, uncork: undefined };
  }

  /** Starts reading. @param {Buffer} head bytes that have already been read from the socket */
  start(head) {
    const { members, originals, socket } = this;
    defineHidden(socket, kStream, this);
    for (const name of OVERTAKING_METHODS) {
      if (Object.hasOwn(socket, name)) originals[name] = socket[name];
      defineHidden(socket, name, FLUSHING_METHODS[name]);
    }
    const prototype = Object.getPrototypeOf(socket);
    for (const name of WRITE_COUNTERS) {
      if (name in prototype && !Object.hasOwn(socket, name)) {
        Object.defineProperty(socket, name, FLUSHING_COUNTERS[name]);
      }
    }
    members.write = FLUSHING_METHODS.write;
    if (!Object.hasOwn(socket, 'cork')) members.cork = socket.cork;
    if (!Object.hasOwn(socket, 'uncork')) members.uncork = socket.uncork;
    if (head.length > 0) socket.unshift(head);
    if (this.isDeferred) socket.pause();
    this.listen();
    if (this.parser === undefined) readDirectly(this, socketOnData);
  }

  /** Parses the bytes that the socket emits. */
  listen() {
    this.socket.on('data', this.parser === undefined ? socketOnData : socketOnDataToParse);
  }

  // Output

  flushLater() {
    if (!this.isReplaced) {
      flushStreamLater(this);
    } else {
      // A program that has replaced write() expects each send() to call it.
      this.isDirty = true;
      this.flush();
    }
  }

  /** True if a program has replaced a member of the socket that ws calls for each message. */
  get isReplaced() {
    const { members, socket } = this;
    return (
      socket.write !== members.write ||
      socket.cork !== members.cork ||
      socket.uncork !== members.uncork
    );
  }

  /** True if only members of Node see the chunks that are written. */
  get hasNodeOutput() {
    const { originals, socket } = this;
    return (
      socket._write === _write &&
      socket._writev === _writev &&
      originals.write === undefined &&
      !this.isReplaced &&
      Object.getPrototypeOf(socket).write === originalWrite
    );
  }

  flush() {
    if (!this.isDirty) return;
    this.isDirty = false;
    const output = takeOutput(this, this.hasNodeOutput);
    if (output === null) return;
    const total = (this.given += output.length);
    if (this.callbacks === null || this.callbacks.isEmpty) this.writeToSocket(output, undefined);
    else this.writeAndComplete(output, total);
  }

  /** @param {Buffer} output @param {number} total running total at its end */
  writeAndComplete(output, total) {
    const { socket } = this;
    this.writeToSocket(output, (error) => {
      // A socket that is destroyed calls back without an error for a write in progress.
      const isLost = socket.destroyed && total > this.written;
      this.complete(total, !error && isLost ? createError('STREAM_DESTROYED') : error);
    });
    this.noteWritten();
  }

  /** @param {number} total */
  completeUpTo(total) {
    if (!this.hasCallbacks) return;
    this.flush();
    const { socket } = this;
    const isWritten = socket.writableLength === 0 && !socket.errored && !socket.destroyed;
    if (isWritten && total <= this.given) this.complete(total);
  }

  /** Updates `written`: with an empty buffer all bytes are written, though their callback may be still to come. */
  noteWritten() {
    if (this.socket.writableLength === 0) this.written = this.given;
  }

  /**
   * Writes past the wrapper of write(), unless a program has replaced that.
   *
   * @param {Buffer} output
   * @param {((error?: Error | null) => void) | undefined} callback
   */
  writeToSocket(output, callback) {
    const { socket } = this;
    if (!this.isReplaced) {
      const write = this.originals.write ?? Object.getPrototypeOf(socket).write;
      write.call(socket, output, callback);
    } else {
      this.writeCorked(output, callback);
    }
  }

  /**
   * Writes through the current members of the socket, those that ws calls.
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

  /** Bytes queued in the connection and in the socket. Does not flush. */
  get queuedBytes() {
    return super.queuedBytes + this.socket.writableLength;
  }

  /** Bytes queued for the peer and not accepted by the kernel. Flushes first. */
  get bufferedAmount() {
    this.flush();
    return this.socket.writableLength;
  }

  // Input

  /** @param {Buffer | string} chunk a string if a program has set an encoding */
  receive(chunk) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.rateLimit !== null) {
      this.receiveSlices(bytes, this.rateLimit);
      return;
    }
    runStreamDelivery(this, native.receive(this.id, bytes));
    this.throttle();
  }

  /**
   * Parses a chunk in slices. If the connection is paused meanwhile, the rest goes back to the socket.
   *
   * @param {Buffer} chunk
   * @param {NonNullable<StreamTransport['rateLimit']>} rateLimit
   */
  receiveSlices(chunk, rateLimit) {
    const { socket, websocket } = this;
    for (let offset = 0; offset < chunk.length; offset += rateLimit.maxRead) {
      if (offset > 0 && (!this.canRead || websocket.isPaused)) {
        socket.unshift(chunk.subarray(offset));
        return;
      }
      const slice = chunk.subarray(offset, offset + rateLimit.maxRead);
      runStreamDelivery(this, native.receive(this.id, slice));
      rateLimit.charge();
      this.throttle();
    }
  }

  /**
   * Called in place of the listener by a direct read.
   *
   * @param {number} length number of bytes in the receive buffer
   */
  receivePlaced(length) {
    runStreamDelivery(this, native.receivePlaced(this.id, length));
    this.throttle();
  }

  get isEmpty() {
    const { parser } = this;
    if (parser === undefined) return super.isEmpty;
    return parser.writableFinished || parser._writableState.errorEmitted;
  }

  /** A parser resumes the socket on its own `drain`. */
  handleEmpty() {
    if (this.parser === undefined) super.handleEmpty();
  }

  stopReading() {
    if (this.parser !== undefined) this.socket.removeListener('data', socketOnDataToParse);
  }

  handleSocketClose() {
    if (this.parser !== undefined) {
      this.endParser();
      super.handleSocketClose();
      return;
    }
    this.socket.removeListener('data', socketOnData);
    try {
      this.readRemaining();
    } finally {
      super.handleSocketClose();
    }
  }

  /** Parses the bytes that a paused socket has kept. */
  readRemaining() {
    const chunk = this.takeRemaining();
    if (chunk !== null) this.read(native.receive(this.id, chunk));
  }

  /** Parses the remaining bytes, and lets the WebSocket close when the parser has emitted their events. */
  endParser() {
    const { parser } = this;
    this.stopReading();
    const chunk = this.takeRemaining();
    if (chunk !== null) parser.write(chunk);
    for (const event of ['finish', 'error']) parser.on(event, () => this.finish());
  }

  /** @returns {Buffer | null} the unread bytes of the closed socket; null: there are none, or they must not be parsed */
  takeRemaining() {
    const { socket, websocket } = this;
    if (socket.readableEnded || websocket._closeFrameReceived || this.hasFailed) return null;
    return socket.readableLength > 0 ? socket.read(socket.readableLength) : null;
  }
}

/** @this {import('./base-transport').Socket} @param {Buffer} chunk */
function socketOnData(chunk) {
  const transport = /** @type {StreamTransport} */ (this[kWebSocket][kTransport]);
  transport.receive(chunk);
}

/** @this {import('./base-transport').Socket} @param {Buffer} chunk */
function socketOnDataToParse(chunk) {
  const websocket = this[kWebSocket];
  noteParsed(websocket[kTransport]);
  if (websocket._receiver.write(chunk)) return;
  websocket[kTransport].isThrottled = true;
  this.pause();
}

module.exports = { StreamTransport };
