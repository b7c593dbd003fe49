'use strict';

/*
 * What both transports share: a WebSocket's native connection, its socket, and the way of the events up
 * to the WebSocket. WebSockets use it through stream.js or plain-socket.js (see index.js).
 */

const events = require('../connection-events');
const native = require('../native');
const { AsyncContext } = require('../async-context');
const { Delivery } = require('./delivery');
const { WriteCallbacks } = require('./write-callbacks');
const { optionsOf } = require('./configurations');
const { connectionClosed } = require('./open-connections');
const { EMPTY_BUFFER } = require('../constants');
const { createError, createProtocolError } = require('../errors');
const { MAX_PLACED, place, toBinaryType } = require('./records');
const { nextTick } = require('../schedule');

const { CLOSE, ERROR, FLOODED, MESSAGE, PING, PONG } = native.RecordKind;
const { ANSWERED, BINARY, RANGE_ERROR } = native.RecordFlag;
const { FIN, PLACED, SAME, STRING, TOTAL } = native.SendFlag;
const { thread } = native;

/** @typedef {import('net').Socket & Record<string | symbol, any>} Socket any Duplex, really */
/** @typedef {((error?: Error | null) => void) | undefined} Callback */

/** The header of a frame that does not leave. */
const HEADER = Buffer.alloc(2);

/** Characters of a string at most that is remembered. */
const MAX_REMEMBERED = 64 * 1024;

/**
 * Flags of a string for the addon. A string that goes to many connections, one after the other, is turned into bytes once.
 *
 * @param {string} text about to be sent
 * @returns {number}
 */
function textFlags(text) {
  if (text === thread.lastText) return STRING | SAME;
  thread.lastText = text.length <= MAX_REMEMBERED ? text : null;
  return STRING;
}

/**
 * @param {typeof native.ping} command
 * @param {number} id
 * @param {string | Uint8Array} data
 * @param {number} flags
 * @param {Uint8Array | undefined} key
 * @returns {number} the running total at its end
 */
function queueControl(command, id, data, flags, key) {
  if (typeof data === 'string') return command(id, data, flags | STRING, key);
  if (data.length <= MAX_PLACED) return command(id, place(data), flags | PLACED, key);
  return command(id, data, flags, key);
}

class Transport extends Delivery {
  /**
   * @param {any} websocket
   * @param {Socket} socket
   * @param {number} configuration see configurations.js
   * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
   */
  constructor(websocket, socket, configuration, isSynchronous) {
    super(isSynchronous);
    this.websocket = websocket;
    this.socket = socket;
    /** How the connection began. Connections that began alike share it. */
    this.options = optionsOf(configuration);
    /**
     * The option `generateMask` of a client.
     *
     * @type {((key: Buffer) => void) | undefined}
     */
    this.generateMask = undefined;
    /**
     * The Sender of the WebSocket, made on first use.
     *
     * @type {InstanceType<typeof import('../connection-sender').ConnectionSender> | null}
     */
    this.sender = null;
    /**
     * The counters of the server that accepted the connection.
     *
     * @type {InstanceType<typeof import('../statistics').Statistics> | null}
     */
    this.account = null;
    /** Whether the peer has broken the protocol. */
    this.hasFailed = false;
    /** @type {InstanceType<typeof WriteCallbacks> | null} */
    this.callbacks = null;
    /**
     * The Receiver that events go through, if somebody has asked for it.
     *
     * @type {import('events').EventEmitter | null}
     */
    this.receiver = null;
    /** Messages emitted, and messages that a last fragment was sent of. */
    this.messagesReceived = 0;
    this.messagesSent = 0;
    /** Whether the addon has answered the ping that is being emitted. */
    this.isPingAnswered = false;
    /** Whether nothing more will be parsed: a close frame or the end has come, or an error. */
    this.isInputOver = false;
    /** Whether the socket has been closed; `close` follows when all events have been emitted. */
    this.isClosed = false;
    /** Whether nothing can be sent any more, because the socket was ended or has lost its descriptor. */
    this.isCut = false;
    /** Whether reading waits until all events have been emitted. */
    this.isThrottled = false;
  }

  /** Whether messages are compressed, unless somebody does not want it. */
  get isCompressing() {
    return this.options.deflate !== undefined;
  }

  // Commands. `callback` is called when the bytes have left, in the context of the command.

  /**
   * @param {string | Uint8Array} data
   * @param {number} flags
   * @param {Uint8Array | undefined} key masking key; undefined: a random one where MASK is set
   * @param {Callback} [callback]
   */
  send(data, flags, key, callback) {
    if (this.isCut) return this.writeInVain([HEADER, data], callback);
    if ((flags & FIN) !== 0) this.messagesSent++;
    /** @type {string | Uint8Array | number} */
    let payload = data;
    if (typeof data === 'string') {
      flags |= textFlags(data);
    } else if (data.length <= MAX_PLACED) {
      payload = place(data);
      flags |= PLACED;
    }
    if (typeof callback === 'function') {
      const total = /** @type {number} */ (native.send(this.id, payload, flags | TOTAL, key));
      this.waitFor(total, callback, true);
    } else {
      native.send(this.id, payload, flags, key);
    }
    this.flushLater();
  }

  /**
   * Sends what the connection has compressed for it on another thread.
   *
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  sendDeflated(flags, key, callback) {
    if (this.isCut) return this.writeInVain([HEADER, EMPTY_BUFFER], callback);
    if ((flags & FIN) !== 0) this.messagesSent++;
    this.queued(this.connection.sendDeflated(flags, key), callback, true);
  }

  /**
   * @param {string | Uint8Array} data
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  ping(data, flags, key, callback) {
    if (this.isCut) return this.writeInVain([HEADER, data], callback);
    this.queued(queueControl(native.ping, this.id, data, flags, key), callback, true);
  }

  /**
   * @param {string | Uint8Array} data
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  pong(data, flags, key, callback) {
    if (this.isCut) return this.writeInVain([HEADER, data], callback);
    this.queued(queueControl(native.pong, this.id, data, flags, key), callback, true);
  }

  /**
   * @param {number} code 0: a close frame without a body
   * @param {string | Uint8Array} reason
   * @param {number} flags
   * @param {Uint8Array | undefined} key
   * @param {Callback} [callback]
   */
  close(code, reason, flags, key, callback) {
    if (this.isCut) return this.writeInVain([HEADER, reason], callback);
    if (typeof reason === 'string') flags |= STRING;
    this.queued(native.close(this.id, reason, flags, key, code), callback, false);
  }

  /**
   * @param {Uint8Array[]} list bytes framed elsewhere; they are not altered
   * @param {Callback} [callback]
   */
  write(list, callback) {
    if (this.isCut) return this.writeInVain(list, callback);
    let total = 0;
    for (const bytes of list) total = native.write(this.id, bytes);
    this.queued(total, callback, true);
  }

  /**
   * Lets Node refuse what is sent through a socket that takes nothing any more: by its errors, in its ticks.
   *
   * @param {(string | Uint8Array)[]} list pieces of a frame, whose content does not matter
   * @param {Callback} [callback]
   */
  writeInVain(list, callback) {
    const { socket } = this;
    const last = list.length - 1;
    socket.cork();
    for (const piece of list.slice(0, last)) socket.write(piece);
    socket.write(/** @type {any} */ (list[last]), /** @type {any} */ (callback));
    socket.uncork();
  }

  /**
   * The second half of every command.
   *
   * @param {number} total running total at the end of what it has queued
   * @param {Callback} callback
   * @param {boolean} inContext whether to call it in the async context of this call
   */
  queued(total, callback, inContext) {
    if (typeof callback === 'function') this.waitFor(total, callback, inContext);
    this.flushLater();
  }

  /**
   * Calls `callback` when bytes have left.
   *
   * @param {number} total running total to wait for
   * @param {(error?: Error | null) => void} callback
   * @param {boolean} inContext whether to call it in the async context of this call
   */
  waitFor(total, callback, inContext) {
    if (this.socket.destroyed) {
      nextTick(callback, createError('STREAM_DESTROYED'));
      return;
    }
    const resource = inContext ? new AsyncContext('WebSocketSend') : null;
    (this.callbacks ??= new WriteCallbacks()).add(total, callback, resource);
    // As with a net.Socket: what the kernel takes at once is told in a tick of its own, in the order of the commands.
    nextTick(settleInTick, this, total);
  }

  /**
   * The tick of a command whose bytes may have left.
   *
   * @param {number} total running total at the end of what it has queued
   */
  settleUpTo(total) {
    if (!this.isAwaited) return;
    this.flush();
    this.settle(Math.min(total, this.writtenTotal));
  }

  /** Writes what is queued, as far as that can be done at once; each transport has its own. */
  flush() {}

  /**
   * @param {number} total running total that has left
   * @param {Error | null} [error] why it has not
   * @returns {boolean} whether somebody waited for it
   */
  settle(total, error) {
    const { callbacks } = this;
    if (callbacks === null) return false;
    const isDue = callbacks.settle(total, error);
    if (callbacks.isEmpty && this.callbacks === callbacks) this.callbacks = null;
    return isDue;
  }

  /** Whether somebody waits until bytes have left. */
  get isAwaited() {
    return this.callbacks !== null && !this.callbacks.isEmpty;
  }

  /** Settles what has left, where nobody else tells in time. */
  settleWritten() {}

  /**
   * Which of the transports moves the bytes now.
   *
   * @returns {'event_loop' | 'io_threads' | 'stream'}
   */
  get kind() {
    return 'stream';
  }

  /** Bytes queued for the peer, without writing any first. */
  get queuedBytes() {
    return native.pending(this.id);
  }

  /** Bytes received, ever queued, and ever accepted by the kernel or the stream. */
  get receivedTotal() {
    return native.bytesRead(this.id);
  }

  get queuedTotal() {
    return native.queuedTotal(this.id);
  }

  get writtenTotal() {
    return native.writtenTotal(this.id);
  }

  /** Arms the flush of the output; each transport has its own. */
  flushLater() {}

  // Events

  /**
   * @param {number} head first word of the record
   * @param {any} payload
   * @param {any} detail
   */
  handleRecord(head, payload, detail) {
    const { receiver, websocket } = this;
    switch (head & 0xff) {
      case MESSAGE: {
        this.messagesReceived++;
        const isBinary = (head & BINARY) !== 0;
        const { _binaryType } = websocket;
        const data =
          isBinary && _binaryType !== 'nodebuffer'
            ? toBinaryType(payload, detail, _binaryType)
            : payload;
        if (receiver === null) websocket.emit('message', data, isBinary);
        else receiver.emit('message', data, isBinary);
        break;
      }
      case PING:
        this.isPingAnswered = (head & ANSWERED) !== 0;
        if (receiver === null) events.onPing(websocket, payload);
        else receiver.emit('ping', payload);
        break;
      case PONG:
        if (receiver === null) events.onPong(websocket, payload);
        else receiver.emit('pong', payload);
        break;
      case CLOSE:
        this.isInputOver = true;
        if (receiver === null) events.onConclude(websocket, detail, payload);
        else receiver.emit('conclude', detail, payload);
        break;
      case ERROR: {
        const isRangeError = (head & RANGE_ERROR) !== 0;
        this.failLater(createProtocolError(isRangeError, payload.toString(), detail));
        break;
      }
      case FLOODED:
        websocket.terminate();
        break;
      default:
        this.handleTransportRecord(head, payload, detail);
    }
  }

  /**
   * Ticks that a message queued run before the protocol error behind it: ws's receiver is a Writable, which takes one tick
   * to note an error and another one to emit it.
   *
   * @param {Error} error
   */
  failLater(error) {
    this.isHeld = true;
    nextTick(() => nextTick(() => this.fail(error)));
  }

  /** @param {Error} error */
  fail(error) {
    const { receiver, websocket } = this;
    this.isInputOver = true;
    try {
      if (receiver === null) events.onError(websocket, error);
      else receiver.emit('error', error);
    } finally {
      this.goOn();
    }
  }

  /**
   * @param {number} _head
   * @param {any} _payload
   * @param {any} _detail
   */
  handleTransportRecord(_head, _payload, _detail) {}

  handleIdle() {
    if (this.isThrottled && this.canGoOn) {
      this.isThrottled = false;
      if (!this.websocket.isPaused) this.socket.resume();
    }
    this.finish();
  }

  /** Whether the socket may be read, now that all events have been emitted: not while the next one is being inflated. */
  get canGoOn() {
    return !this.isInflating;
  }

  /** To be called when the events that have been read could not all be emitted at once. */
  throttle() {
    if (this.isThrottled || this.isHeld || this.isIdle) return;
    this.isThrottled = true;
    this.socket.pause();
  }

  // End

  /**
   * To be called on the socket's `close`: fails the callbacks, then lets the WebSocket close when all events
   * have been emitted.
   */
  socketClosed() {
    this.isClosed = true;
    native.destroy(this.id);
    if (this.isAwaited) this.settle(Infinity, createError('STREAM_DESTROYED'));
    // An input that nobody has ended ends now, which takes a tick.
    if (this.isInputOver) this.finish();
    else nextTick(() => this.finish());
  }

  /** Emits `close`, once, if the socket has closed and all events have been emitted. */
  finish() {
    if (!this.isClosed || !this.isIdle) return;
    this.isClosed = false;
    // It was kept for as long as something was being inflated.
    this.letGo();
    connectionClosed();
    this.websocket.emitClose();
  }

  /** Nobody needs the connection any more. */
  letGo() {
    native.destroy(this.id);
  }
}

/**
 * @param {Transport} transport
 * @param {number} total
 */
function settleInTick(transport, total) {
  transport.settleUpTo(total);
}

module.exports = { Transport };
