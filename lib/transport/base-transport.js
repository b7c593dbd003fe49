'use strict';

/*
 * The common part of all transports: the send commands, write callbacks, backpressure and the end of a connection. Moving
 * bytes is the job of the subclasses, which index.js creates.
 */

const native = require('../native');
const { AsyncContext } = require('../node/async-context');
const { EventDispatcher } = require('./event-dispatcher');
const { WriteCallbacks } = require('./write-callbacks');
const { connectionClosed } = require('./flush-scheduler');
const { EMPTY_BUFFER } = require('../constants');
const { createError } = require('../errors');
const { applyTimeLimit } = require('./time-limits');
const { queueControl, queueMessage } = require('./payload');
const { nextTick } = require('../node/schedule');

const { FIN, STRING } = native.SendFlag;

/** @typedef {import('net').Socket & Record<string | symbol, any>} Socket in fact any Duplex */
/** @typedef {((error?: Error | null) => void) | undefined} Callback called when the bytes of a command have been written */

/** Stands for the header of a frame that is not sent. */
const HEADER = Buffer.alloc(2);

class Transport extends EventDispatcher {
  /**
   * @param {any} websocket
   * @param {Socket} socket
   * @param {import('./config-cache').Config} config
   * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
   */
  constructor(websocket, socket, config, isSynchronous) {
    super(websocket, config, isSynchronous);
    this.socket = socket;
    /** The option `generateMask` of a client. @type {((key: Buffer) => void) | undefined} */
    this.generateMask = undefined;
    /** The Sender of the WebSocket; null until first use. @type {any} */
    this.sender = null;
    /**
     * The statistics of the server that accepted the connection.
     *
     * @type {InstanceType<typeof import('../stats').Statistics> | null}
     */
    this.statistics = null;
    /**
     * The totals at the end, once the connection's id has been released.
     *
     * @type {{ receivedTotal: number, queuedTotal: number, writtenTotal: number } | null}
     */
    this.finalTotals = null;
    /** @type {InstanceType<typeof WriteCallbacks> | null} */
    this.callbacks = null;
    /** The bound on queued output; null: none. @type {InstanceType<typeof import('../connection/backpressure').Backpressure> | null} */
    this.backpressure = null;
    /** True while a fragmented message is being sent. */
    this.isFragmenting = false;
    /** True if an I/O thread may answer pings. */
    this.mayPong = false;
    /** Number of messages sent, counted by their last fragment. */
    this.messagesSent = 0;
    /** True if nothing can be sent any more: the socket was ended or has lost its descriptor. */
    this.isOutputEnded = false;
    /** True if reading is paused until all events have been emitted. */
    this.isThrottled = false;
    /** The rates that the peer may send at; null: any. @type {InstanceType<typeof import('../connection/rate-limit').RateLimit> | null} */
    this.rateLimit = null;
    /** True if nothing is read before the first 'message' listener; see connection/deferred-reading.js. */
    this.isDeferred = false;
  }

  /** True if messages are compressed unless the sender opts out. */
  get isCompressing() {
    return this.options.deflate !== undefined;
  }

  // Commands. A callback is called in the async context of the command, but for that of close(). `flags` are SendFlag;
  // `key` is the masking key, undefined for a random one.

  /**
   * Sends a message or a fragment.
   *
   * @param {string | Uint8Array} data
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  send(data, flags, key, callback) {
    if (this.isOutputEnded) return this.rejectWrite([HEADER, data], callback);
    this.checkOutputMembers();
    if ((flags & FIN) !== 0) this.messagesSent++;
    const hasCallback = typeof callback === 'function';
    const total = queueMessage(this.id, data, flags, key, hasCallback);
    if (hasCallback) this.addWriteCallback(/** @type {number} */ (total), callback, true);
    this.flushLater();
  }

  /**
   * Sends the message that the addon has compressed on another thread.
   *
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  sendDeflated(flags, key, callback) {
    if (this.isOutputEnded) return this.rejectWrite([HEADER, EMPTY_BUFFER], callback);
    this.checkOutputMembers();
    if ((flags & FIN) !== 0) this.messagesSent++;
    this.finishCommand(this.connection.sendDeflated(flags, key), callback, true);
  }

  /**
   * Sends a ping or a pong.
   *
   * @param {'ping' | 'pong'} command
   * @param {string | Uint8Array} data
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  control(command, data, flags, key, callback) {
    if (this.isOutputEnded) return this.rejectWrite([HEADER, data], callback);
    this.checkOutputMembers();
    this.finishCommand(queueControl(native[command], this.id, data, flags, key), callback, true);
  }

  /**
   * Sends a close frame.
   *
   * @param {number} code 0: without a body
   * @param {string | Uint8Array} reason
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  close(code, reason, flags, key, callback) {
    if (this.isOutputEnded) return this.rejectWrite([HEADER, reason], callback);
    this.checkOutputMembers();
    // The core answers no ping behind a close frame.
    this.mayPong = false;
    if (typeof reason === 'string') flags |= STRING;
    this.finishCommand(native.close(this.id, reason, flags, key, code), callback, false);
  }

  /**
   * Sends bytes that are already framed.
   *
   * @param {Uint8Array[]} list not modified
   * @param {Callback} [callback]
   */
  write(list, callback) {
    if (this.isOutputEnded) return this.rejectWrite(list, callback);
    let total = 0;
    for (const bytes of list) total = native.write(this.id, bytes);
    this.finishCommand(total, callback, true);
  }

  /**
   * Writes to the ended socket, so that Node reports the error: the same one, in the same tick.
   *
   * @param {(string | Uint8Array)[]} list pieces of a frame, whose content is irrelevant
   * @param {Callback} [callback]
   */
  rejectWrite(list, callback) {
    const { socket } = this;
    const last = list.length - 1;
    socket.cork();
    for (const piece of list.slice(0, last)) socket.write(piece);
    socket.write(/** @type {any} */ (list[last]), /** @type {any} */ (callback));
    socket.uncork();
  }

  /**
   * Registers the callback of a command and schedules the flush.
   *
   * @param {number} total running total at the end of the command's bytes
   * @param {Callback} callback
   * @param {boolean} inContext true: call it in the current async context
   */
  finishCommand(total, callback, inContext) {
    if (typeof callback === 'function') this.addWriteCallback(total, callback, inContext);
    this.flushLater();
  }

  // Write callbacks

  /**
   * @param {number} total running total of bytes that must have been written
   * @param {(error?: Error | null) => void} callback
   * @param {boolean} inContext true: call it in the current async context
   */
  addWriteCallback(total, callback, inContext) {
    if (this.socket.destroyed) {
      nextTick(callback, createError('STREAM_DESTROYED'));
      return;
    }
    const resource = inContext ? new AsyncContext('WebSocketSend') : null;
    (this.callbacks ??= new WriteCallbacks()).add(total, callback, resource);
    // As with a net.Socket: a write that the kernel accepts at once is reported in a tick of its own, in order of commands.
    nextTick(completeInTick, this, total);
  }

  /**
   * Calls the callbacks of a command in its tick, if its bytes can be written by now.
   *
   * @param {number} total running total at the end of the command's bytes
   */
  completeUpTo(total) {
    if (!this.hasCallbacks) return;
    this.flush();
    this.complete(Math.min(total, this.writtenTotal));
  }

  /**
   * Calls the callbacks up to a running total.
   *
   * @param {number} total
   * @param {Error | null} [error] why the bytes have not been written
   * @returns {boolean} true if at least one callback was called
   */
  complete(total, error) {
    const { callbacks } = this;
    if (callbacks === null) return false;
    const isDue = callbacks.complete(total, error);
    if (callbacks.isEmpty && this.callbacks === callbacks) this.callbacks = null;
    return isDue;
  }

  get hasCallbacks() {
    return this.callbacks !== null && !this.callbacks.isEmpty;
  }

  /** Calls the callbacks of all written bytes. A stream does so itself. */
  completeWritten() {}

  // Hooks of the subclasses

  /**
   * The name of the transport that moves the bytes now.
   *
   * @returns {'event_loop' | 'io_threads' | 'stream'}
   */
  get kind() {
    return 'stream';
  }

  /** Writes queued output, as far as that is possible at once. */
  flush() {}

  /** Schedules the write of queued output. */
  flushLater() {}

  /** Called before each command: falls back to a stream if a program has replaced a socket member that a send calls. */
  checkOutputMembers() {}

  /** The same for all members that bytes pass through. */
  checkMembers() {}

  /** Stops parsing, after a close frame or a protocol error. */
  stopReading() {}

  // Totals, in bytes

  /** Bytes queued for the peer. Does not flush. */
  get queuedBytes() {
    return native.pending(this.id);
  }

  get receivedTotal() {
    return this.finalTotals === null ? native.bytesRead(this.id) : this.finalTotals.receivedTotal;
  }

  /** Bytes ever queued. */
  get queuedTotal() {
    return this.finalTotals === null ? native.queuedTotal(this.id) : this.finalTotals.queuedTotal;
  }

  /** Bytes ever accepted by the kernel or the stream. */
  get writtenTotal() {
    return this.finalTotals === null ? native.writtenTotal(this.id) : this.finalTotals.writtenTotal;
  }

  // Backpressure

  /** True if this side has no reason to stop reading. */
  get canRead() {
    const { isDeferred, isThrottled, rateLimit } = this;
    return !isThrottled && !isDeferred && (rateLimit === null || !rateLimit.isPausing);
  }

  /** Pauses reading if not all events could be emitted at once. */
  throttle() {
    if (this.isThrottled || this.isHeld || this.isEmpty) return;
    this.isThrottled = true;
    this.socket.pause();
  }

  /** Starts to read a connection whose reading was deferred. */
  resumeReading() {
    this.socket.resume();
  }

  handleEmpty() {
    if (this.isThrottled && this.canResumeReading) {
      this.isThrottled = false;
      if (this.canRead && !this.websocket.isPaused) this.socket.resume();
    }
    this.finish();
  }

  /** False while a message is being inflated: nothing behind it may be parsed. */
  get canResumeReading() {
    return !this.isInflating;
  }

  // Time limits

  /** @param {number} action see time-limits.js */
  handleTimeLimit(action) {
    applyTimeLimit(this, action);
  }

  // End

  /** Called when the peer has ended its side. */
  endInput() {
    this.isInputEnded = true;
    this.receiver?.end();
  }

  /** Called on the socket's `close`: fails the callbacks, and lets the WebSocket close when all events have been emitted. */
  handleSocketClose() {
    this.isClosed = true;
    this.receiver?.end();
    native.destroy(this.id);
    if (this.hasCallbacks) this.complete(Infinity, createError('STREAM_DESTROYED'));
    // With ws the receiver is ended now if it has not been before, which takes a tick.
    if (this.isInputEnded) this.finish();
    else nextTick(() => this.finish());
  }

  /** Closes the WebSocket if the socket has closed and all events have been emitted. */
  finish() {
    if (!this.isClosed || !this.isEmpty) return;
    this.isClosed = false;
    // Not earlier: a message may have been in the middle of inflation.
    this.dispose();
    connectionClosed();
    this.websocket.emitClose();
  }

  /** Destroys the connection. */
  dispose() {
    native.destroy(this.id);
    native.thread.streams.delete(this.id);
  }

  /** Releases the id of an attached connection. Later reads of the totals return their final values. */
  releaseId() {
    const { id, receivedTotal, queuedTotal, writtenTotal } = this;
    if (id === native.NO_CONNECTION) return;
    this.finalTotals = { receivedTotal, queuedTotal, writtenTotal };
    this.id = native.NO_CONNECTION;
    this.object = null;
    native.free(id);
  }
}

/** @param {Transport} transport @param {number} total */
function completeInTick(transport, total) {
  transport.completeUpTo(total);
}

module.exports = { Transport };
