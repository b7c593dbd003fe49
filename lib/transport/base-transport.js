'use strict';

/*
 * What both transports share: a WebSocket's native connection, its socket, and the way of the events up
 * to the WebSocket. WebSockets use it through stream.js or plain-socket.js (see index.js).
 */

const events = require('../connection/websocket-events');
const native = require('../native');
const { AsyncContext } = require('../node/async-context');
const { Delivery } = require('./event-queue');
const { WriteCallbacks } = require('./write-callbacks');
const originals = require('../node/originals').definedBy(require('../receiver'));
const { optionsOf } = require('./config-cache');
const { connectionClosed } = require('./open-connections');
const { EMPTY_BUFFER } = require('../constants');
const { closePayload, replayControl, replayMessage, showFrame } = require('../connection/receiver');
const { Opcode } = require('../connection/frame');
const { createError, createProtocolError } = require('../errors');
const { queueControl, queueMessage } = require('./payload');
const { toBinaryType } = require('./record-reader');
const { nextTick } = require('../node/schedule');

const { hasOriginalControlMessage, hasOriginalDataMessage } = originals.receiver;
const { CLOSE, ERROR, FLOODED, MESSAGE, PING, PONG } = native.RecordKind;
const { ANSWERED, BINARY, RANGE_ERROR } = native.RecordFlag;
const { FIN, STRING } = native.SendFlag;

/** @typedef {import('net').Socket & Record<string | symbol, any>} Socket any Duplex, really */
/** @typedef {((error?: Error | null) => void) | undefined} Callback */

/** The header of a frame that does not leave. */
const HEADER = Buffer.alloc(2);

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
     * @type {any}
     */
    this.sender = null;
    /**
     * The counters of the server that accepted the connection.
     *
     * @type {InstanceType<typeof import('../stats').Statistics> | null}
     */
    this.account = null;
    /** Whether the peer has broken the protocol. */
    this.hasFailed = false;
    /**
     * The totals at the end, once the number is given back.
     *
     * @type {{ receivedTotal: number, queuedTotal: number, writtenTotal: number } | null}
     */
    this.past = null;
    /** @type {InstanceType<typeof WriteCallbacks> | null} */
    this.callbacks = null;
    /**
     * The Receiver that events go through, if somebody has asked for it.
     *
     * @type {any}
     */
    this.receiver = null;
    /** Whether the last fragment of a message has been sent. */
    this.isContinued = false;
    /** Whether an I/O thread may answer pings. */
    this.mayPong = this.options.autoPong;
    /** The form of binary messages. */
    this.binaryType = 'nodebuffer';
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
    this.checkOutputMembers();
    if ((flags & FIN) !== 0) this.messagesSent++;
    const isAwaited = typeof callback === 'function';
    const total = queueMessage(this.id, data, flags, key, isAwaited);
    if (isAwaited) this.waitFor(/** @type {number} */ (total), callback, true);
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
    this.checkOutputMembers();
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
    this.checkOutputMembers();
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
    this.checkOutputMembers();
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
    this.checkOutputMembers();
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
    return this.past === null ? native.bytesRead(this.id) : this.past.receivedTotal;
  }

  get queuedTotal() {
    return this.past === null ? native.queuedTotal(this.id) : this.past.queuedTotal;
  }

  get writtenTotal() {
    return this.past === null ? native.writtenTotal(this.id) : this.past.writtenTotal;
  }

  /** Called before each command: a program may have replaced a member of the socket that bytes go through. */
  checkOutputMembers() {}

  /** The same for all members. */
  checkMembers() {}

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
      case MESSAGE:
        this.messagesReceived++;
        this.handleMessage((head & BINARY) !== 0, payload, detail);
        break;
      case PING:
        this.isPingAnswered = (head & ANSWERED) !== 0;
        if (!hasOriginalControlMessage(receiver)) {
          replayControl(websocket._receiver, Opcode.PING, payload);
        } else if (receiver === null) {
          events.onPing(websocket, payload, this.options.isServer);
        } else {
          showFrame(receiver, Opcode.PING, payload.length);
          receiver.emit('ping', payload);
        }
        break;
      case PONG:
        if (!hasOriginalControlMessage(receiver)) {
          replayControl(websocket._receiver, Opcode.PONG, payload);
        } else if (receiver === null) {
          events.onPong(websocket, payload);
        } else {
          showFrame(receiver, Opcode.PONG, payload.length);
          receiver.emit('pong', payload);
        }
        break;
      case CLOSE:
        this.isInputOver = true;
        if (!hasOriginalControlMessage(receiver)) {
          replayControl(websocket._receiver, Opcode.CLOSE, closePayload(detail, payload));
        } else if (receiver === null) {
          events.onConclude(websocket, detail, payload);
        } else {
          showFrame(receiver, Opcode.CLOSE, detail === 1005 ? 0 : payload.length + 2);
          receiver.emit('conclude', detail, payload);
          receiver.end();
        }
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
   * @param {boolean} isBinary
   * @param {Buffer} payload
   * @param {any} detail lengths of its frames, if it came in more than one
   */
  handleMessage(isBinary, payload, detail) {
    const { receiver, websocket } = this;
    if (!hasOriginalDataMessage(receiver)) {
      replayMessage(websocket._receiver, isBinary, payload, detail);
      return;
    }
    const { binaryType } = this;
    const data =
      isBinary && binaryType !== 'nodebuffer' ? toBinaryType(payload, detail, binaryType) : payload;
    if (receiver === null) {
      websocket.emit('message', data, isBinary);
    } else {
      showFrame(receiver, isBinary ? Opcode.BINARY : Opcode.TEXT, payload.length);
      receiver.emit('message', data, isBinary);
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

  /** Nothing behind a close frame or an error is parsed. */
  stopReading() {}

  /** The peer sends no more. */
  endInput() {
    this.isInputOver = true;
    this.receiver?.end();
  }

  /**
   * To be called on the socket's `close`: fails the callbacks, then lets the WebSocket close when all events
   * have been emitted.
   */
  socketClosed() {
    this.isClosed = true;
    this.receiver?.end();
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

  /** Gives the number of a connection back that was attached. What is asked later is answered from memory. */
  retire() {
    const { id, receivedTotal, queuedTotal, writtenTotal } = this;
    if (id === native.NOBODY) return;
    this.past = { receivedTotal, queuedTotal, writtenTotal };
    this.id = native.NOBODY;
    this.object = null;
    native.free(id);
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
