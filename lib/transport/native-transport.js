'use strict';

/*
 * The transport of plain sockets: the addon moves the bytes, on the event loop or on an I/O thread. Takes the descriptor from the
 * net.Socket, which remains as a lazy or detached socket, and turns records of the addon into calls of that socket. Falls back
 * to a stream when a program uses the socket in a way that needs the bytes to pass through it.
 *
 * index.js creates it, the addon calls deliver() through src/addon/thread.js. flush-scheduler.js decides when to write,
 * event-queue.js in which order to emit.
 */

const { constants } = require('os');

const events = require('../connection/websocket-events');
const native = require('../native');
const { detach } = require('../socket/detach');
const { DetachedSocket, reattach } = require('../socket/detached-socket');
const { Transport } = require('./base-transport');
const { isOutputUnpatched, isUnpatched } = require('../socket/replaced-members');
const { fallBackToStream } = require('./stream-fallback');
const { LazySocket, isLazy } = require('../socket/lazy-socket');
const { createError, createSystemError } = require('../errors');
const { flushNativeLater, runNativeDelivery } = require('./flush-scheduler');
const { readRecords } = require('./record-reader');
const { nextTick } = require('../node/schedule');

const { DRAIN, END, FAULT, SHUTDOWN, WRITTEN } = native.RecordKind;
const { WRITE } = native.RecordFlag;

class NativeTransport extends Transport {
  /**
   * @param {any} websocket
   * @param {import('./base-transport').Socket} socket
   * @param {import('./config-cache').Config} config
   * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
   * @param {import('async_hooks').AsyncResource} resource context that events are emitted in
   */
  constructor(websocket, socket, config, isSynchronous, resource) {
    super(websocket, socket, config, isSynchronous);
    this.resource = resource;
    /** True if output may have been queued since the last flush of this connection. */
    this.isDirty = false;
    /** True if the socket has a timeout. */
    this.isTimed = false;
    /** Bytes received and queued when activity was last noted. */
    this.activityBytes = 0;
    /** Bytes that had been read from the socket, and written to it, before the connection got it. */
    this.bytesReadBefore = 0;
    this.bytesWrittenBefore = 0;
    /**
     * Called when the writing side has been shut down.
     *
     * @type {((error?: Error | null) => void) | null}
     */
    this.shutdownCallback = null;
    /** True until an I/O thread may answer pings, if it is to. */
    this.awaitsPongs = false;
  }

  /** Each delivery is a macrotask of its own; the tick of the bytes behind the handshake is not. */
  get startsMacrotask() {
    return !this.isEmittingHead;
  }

  // Taking the descriptor

  /**
   * Takes the descriptor of the socket.
   *
   * @param {Buffer} head bytes that have already been read from the socket
   * @param {number} configId
   * @param {number} driver one of native.Driver
   * @returns {boolean} false: the addon cannot take it, and nothing has changed
   */
  open(head, configId, driver) {
    return isLazy(this.socket)
      ? this.adopt(head, configId, driver)
      : this.attach(head, configId, driver);
  }

  /**
   * Takes the descriptor of a net.Socket, which keeps owning it.
   *
   * @param {Buffer} head
   * @param {number} configId
   * @param {number} driver
   * @returns {boolean} false: the addon cannot take it, and nothing has changed
   */
  attach(head, configId, driver) {
    return detach(this.socket, this, head, (fd, received) => {
      const id = native.attach(fd, configId, received, this.driverFlags(driver));
      if (id === -1) return false;
      this.register(id, received);
      return true;
    });
  }

  /**
   * Takes the connection of a lazy socket from its listener, with its descriptor, and sends the response of the handshake.
   * The socket is destroyed if that fails.
   *
   * @param {Buffer} head
   * @param {number} configId
   * @param {number} driver
   * @returns {true}
   */
  adopt(head, configId, driver) {
    /** @type {any} */
    const socket = this.socket;
    const { bytesRead, number, response } = LazySocket.takeUpgrade(socket, this);
    const received = head.length === 0 ? undefined : head;
    const id = native.adopt(number, configId, response, received, this.driverFlags(driver));
    this.bytesReadBefore = bytesRead - head.length;
    if (id === -1) {
      nextTick(() => socket.destroy());
    } else {
      this.register(id, received);
      // The connection counts only the part of the response that the kernel has not accepted at once.
      this.bytesWrittenBefore = Buffer.byteLength(response) - this.queuedTotal;
    }
    this.setReferenced(true);
    return true;
  }

  /** @param {number} driver @returns {number} */
  driverFlags(driver) {
    return this.isDeferred ? driver | native.PAUSED : driver;
  }

  /**
   * @param {number} id
   * @param {Buffer | undefined} received bytes behind the handshake
   */
  register(id, received) {
    this.id = id;
    native.setOwner(id, this);
    if (received !== undefined) nextTick(deliverHead, this);
  }

  // Output

  flushLater() {
    this.isDirty = true;
    if (this.isTimed) this.noteActivity();
    flushNativeLater();
  }

  /** Writes queued output, as far as the kernel accepts it at once. */
  flush() {
    if (!this.isDirty) return;
    this.isDirty = false;
    native.flushNow(this.id);
  }

  get kind() {
    return native.isOnThread(this.id) === 1 ? 'io_threads' : 'event_loop';
  }

  /** Bytes queued for the peer and not accepted by the kernel. Flushes first. */
  get bufferedAmount() {
    if (this.hasLostDescriptor) return this.socket.writableLength;
    this.flush();
    return native.pending(this.id);
  }

  /** Bytes read from the socket. */
  get bytesRead() {
    return this.bytesReadBefore + this.receivedTotal;
  }

  /** Bytes written to the socket or queued for it. */
  get bytesWritten() {
    return this.bytesWrittenBefore + this.queuedTotal;
  }

  /** @param {number} total */
  completeUpTo(total) {
    super.completeUpTo(total);
    // The kernel has not accepted all of it.
    this.requestWritten();
  }

  completeWritten() {
    this.complete(this.writtenTotal);
  }

  /** Requests a WRITTEN record if callbacks wait. One request at a time: later sends need no call into the addon. */
  requestWritten() {
    const { callbacks, isWrittenRequested } = this;
    if (callbacks === null || callbacks.isEmpty || isWrittenRequested) return;
    this.isWrittenRequested = true;
    native.notify(this.id);
  }

  // Delivery

  /**
   * Called by the addon; see Owner in native.js.
   *
   * @param {number} count number of readable records; 0 when called again
   * @returns {boolean} true: to be called again after ticks and microtasks have run
   */
  deliver(count) {
    // The addon enters a context at less cost, but needs memory for it: not for connections with a single message.
    const deliver =
      this.messagesReceived === 0 ? this.deliverInContext : this.deliverKeepingContext;
    return this.resource.runInAsyncScope(deliver, this, count);
  }

  /**
   * As deliverInContext(); has the addon make later deliveries in the present context.
   *
   * @param {number} count
   * @returns {boolean}
   */
  deliverKeepingContext(count) {
    native.keepContext(this.id, this.resource);
    return this.deliverInContext(count);
  }

  /**
   * As deliver(), called in the context of the connection.
   *
   * @param {number} count
   * @returns {boolean}
   */
  deliverInContext(count) {
    if (count > 0) readRecords(this, count);
    this.checkMembers();
    // An event may be the answer to bytes whose callbacks have not been called: they come first, and the ticks they queue.
    if (this.callbacks !== null && !this.callbacks.isEmpty) {
      if (this.complete(this.writtenTotal)) return true;
    }
    if (this.isTimed) this.noteActivity();
    runNativeDelivery(this);
    // A listener may have replaced a member that answers pings.
    if (this.mayPong) events.updateThreadPongs(this);
    else if (this.awaitsPongs) this.allowPongs();
    if (this.rateLimit !== null) this.rateLimit.charge();
    if (this.hasPending) return true;
    this.throttle();
    return false;
  }

  /**
   * Lets an I/O thread answer pings, unless user code would notice: as soon as this thread has answered all earlier ones, whose pongs
   * come first. A FallbackTransport has no such method.
   */
  allowPongs() {
    this.awaitsPongs = events.canThreadPong(this);
    if (!this.awaitsPongs || !this.isEmpty || !this.connection.setAutoPong(true)) return;
    this.awaitsPongs = false;
    this.mayPong = true;
  }

  /** @param {number} count number of readable records of the bytes behind the handshake */
  emitHead(count) {
    this.isEmittingHead = true;
    try {
      this.read(count);
    } finally {
      this.isEmittingHead = false;
    }
    this.throttle();
  }

  /** The addon does not read behind a message that is being inflated; a pause would keep back that message itself. */
  get canResumeReading() {
    return true;
  }

  resumeReading() {
    native.resume(this.id);
    // Has an effect on a detached socket that was paused and resumed meanwhile.
    super.resumeReading();
  }

  throttle() {
    if (!this.isInflating) super.throttle();
  }

  /**
   * @param {number} head
   * @param {any} payload WRITTEN: the running total
   * @param {any} detail FAULT: the errno
   */
  handleTransportRecord(head, payload, detail) {
    const { socket } = this;
    switch (head & 0xff) {
      case WRITTEN:
        this.isWrittenRequested = false;
        this.complete(payload);
        this.requestWritten();
        break;
      case DRAIN:
        socket._nativeDrain();
        break;
      case END:
        socket._nativeEnd();
        break;
      case FAULT:
        socket.destroy(createSystemError((head & WRITE) !== 0 ? 'write' : 'read', detail));
        break;
      case SHUTDOWN:
        this.isShutDown = true;
        this.completeShutdown();
        break;
    }
  }

  // Timeout of the socket

  /** Restarts the timeout of the socket. */
  noteActivity() {
    const { receivedTotal, queuedTotal } = this;
    this.activityBytes = receivedTotal + queuedTotal;
    this.socket._unrefTimer();
  }

  /** True if bytes have moved without an event: parts of a message, or output that the peer reads slowly. */
  hasMovedBytes() {
    const { receivedTotal, writtenTotal } = this;
    const bytes = receivedTotal + writtenTotal;
    const hasMoved = bytes !== this.activityBytes;
    this.activityBytes = bytes;
    return hasMoved;
  }

  /** @param {number} action */
  handleTimeLimit(action) {
    this.resource.runInAsyncScope(super.handleTimeLimit, this, action);
  }

  // Called by the socket

  /**
   * Falls back to a stream: Node moves the bytes from now on, and this object is a FallbackTransport.
   *
   * @param {string} reason for debug output
   * @returns {boolean} false: the socket has no descriptor, or Node cannot have it
   */
  fallBack(reason) {
    return fallBackToStream(this, reason);
  }

  /**
   * Falls back if a program has replaced a member of the socket that bytes pass through.
   *
   * @returns {boolean} true if it has fallen back
   */
  checkMembers() {
    return !isUnpatched(this.socket) && this.fallBack('a member of the socket is replaced');
  }

  /** The same for members that a send calls. Those for reading are checked per delivery. */
  checkOutputMembers() {
    if (!isOutputUnpatched(this.socket)) this.fallBack('a member of the socket is replaced');
  }

  /** @param {boolean} isReferenced true: keep the event loop alive */
  setReferenced(isReferenced) {
    const { isReferenced: wasReferenced } = this;
    if (isReferenced === wasReferenced) return;
    this.isReferenced = isReferenced;
    if (isReferenced) native.environment.ref();
    else native.environment.unref();
  }

  /**
   * Shuts the writing side down, behind all queued output.
   *
   * @param {(error?: Error | null) => void} callback
   */
  shutdown(callback) {
    if (this.isShutDown) {
      nextTick(callback);
      return;
    }
    this.shutdownCallback = callback;
    native.shutdown(this.id);
    this.flushLater();
  }

  /** @param {Error} [error] */
  completeShutdown(error) {
    const callback = this.shutdownCallback;
    this.shutdownCallback = null;
    callback?.(error);
  }

  // End

  /**
   * Destroys the connection at once, because the socket is being destroyed.
   *
   * @param {Error | null} error
   */
  handleSocketDestroy(error) {
    const { hasLostDescriptor, isSocketDestroyed } = this;
    if (hasLostDescriptor || isSocketDestroyed) return;
    this.isSocketDestroyed = true;
    this.releaseDescriptor(() => error ?? createError('STREAM_DESTROYED'));
  }

  /** Stops using the descriptor, which Node is about to close or to give away. Later sends fail with an error of Node. */
  handleDescriptorLoss() {
    const { hasLostDescriptor, socket } = this;
    if (socket.destroyed) this.handleSocketDestroy(null);
    if (socket.destroyed || hasLostDescriptor) return;
    this.hasLostDescriptor = true;
    this.isOutputEnded = true;
    this.releaseDescriptor(() => createSystemError('write', constants.errno.ECANCELED));
    if (Object.getPrototypeOf(socket) === DetachedSocket.prototype) reattach(socket);
  }

  /**
   * Flushes, destroys the connection, and fails the callbacks of unwritten bytes.
   *
   * @param {() => Error} createReason
   */
  releaseDescriptor(createReason) {
    this.flush();
    const { writtenTotal } = this;
    // Events kept back by a pause are emitted when the socket has closed.
    const count = native.lastRead(this.id);
    if (count > 0) {
      readRecords(this, count);
      this.hold();
    }
    native.destroy(this.id);
    this.setReferenced(false);
    if (!this.hasCallbacks && this.shutdownCallback === null) return;
    const reason = createReason();
    nextTick(() => {
      this.complete(writtenTotal);
      this.complete(Infinity, reason);
      this.completeShutdown(reason);
    });
  }

  handleSocketClose() {
    try {
      if (this.isHeld) this.resumeEmitting();
      else this.emitPending();
    } finally {
      super.handleSocketClose();
    }
  }

  dispose() {
    this.releaseId();
  }
}

/**
 * Delivers the events of the bytes behind the handshake, as Node does with bytes given back to a net.Socket: in the next
 * tick, before anything else is read.
 *
 * @param {NativeTransport} transport
 */
function deliverHead(transport) {
  const count = native.collect(transport.id);
  if (count > 0) transport.resource.runInAsyncScope(transport.emitHead, transport, count);
}

module.exports = { NativeTransport };
