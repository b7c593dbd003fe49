'use strict';

/*
 * The transport of plain sockets whose bytes are moved by the addon, on the event loop or on I/O threads: the addon
 * decides, and may change its mind. The net.Socket stays as a facade (parked-socket.js); this file takes the
 * descriptor over and turns records into what the facade does.
 */

const { constants } = require('os');

const events = require('../connection/websocket-events');
const native = require('../native');
const { ParkedSocket, canPark, park, unpark } = require('../socket/detached-socket');
const { Transport } = require('./base-transport');
const { isOutputUnpatched, isUnpatched } = require('../socket/replaced-members');
const { handBack } = require('./stream-fallback');
const { takeHeld } = require('../socket/materialize');
const { createError, createSystemError } = require('../errors');
const { drainDelivered, flushSocketsLater } = require('./flush-scheduler');
const { readRecords } = require('./record-reader');
const { nextTick } = require('../node/schedule');

const { DRAIN, END, FAULT, SHUTDOWN, WRITTEN } = native.RecordKind;
const { WRITE } = native.RecordFlag;

class PlainSocketTransport extends Transport {
  /**
   * @param {any} websocket
   * @param {import('./base-transport').Socket} socket
   * @param {number} configuration see configurations.js
   * @param {boolean} isSynchronous
   * @param {import('async_hooks').AsyncResource} resource context that events are emitted in
   */
  constructor(websocket, socket, configuration, isSynchronous, resource) {
    super(websocket, socket, configuration, isSynchronous);
    this.resource = resource;
    /** Whether something may have been queued since output was last written from here. */
    this.isDirty = false;
    /** Whether this connection keeps the environment alive. */
    this.isReferenced = false;
    /** Whether a WRITTEN record has been asked for and has not come. */
    this.isNotified = false;
    /** Whether the facade has been destroyed, or its handle taken away. */
    this.isSocketDestroyed = false;
    /** Whether the facade measures inactivity. */
    this.isTimed = false;
    /** Bytes received and queued when activity was last noted. */
    this.noticedBytes = 0;
    /** What others had read from the socket and written to it, which is not the connection's business. */
    this.bytesReadBefore = 0;
    this.bytesWrittenBefore = 0;
    /**
     * Called when the writing side has been shut down.
     *
     * @type {((error?: Error | null) => void) | null}
     */
    this.shutdownCallback = null;
    /** Whether it has been. */
    this.isShutDown = false;
    /** Whether what came with the handshake is being told. */
    this.isKnown = false;
    /** Whether the facade's handle is not the connection's any more. */
    this.isLost = false;
  }

  /** Each delivery is a turn of its own, but not the tick in which what came with the handshake is told. */
  get isEager() {
    return !this.isKnown;
  }

  /**
   * Takes the descriptor over.
   *
   * @param {Buffer} head bytes that have already been read from the socket
   * @param {number} configuration see configurations.js
   * @param {number} choice who is to move the bytes
   * @returns {boolean} false: it cannot be done, nothing has changed
   */
  attach(head, configuration, choice) {
    return park(this.socket, this, head, (fd, received) => {
      const id = native.attach(fd, configuration, received, choice);
      if (id === -1) return false;
      this.id = id;
      native.setOwner(id, this);
      if (received !== undefined) nextTick(deliverKnown, this);
      return true;
    });
  }

  /**
   * Takes over a connection that came by the listener and that nobody has touched, and writes what it was to be sent first.
   *
   * @param {Buffer} head bytes that have already been read from the socket
   * @param {number} configuration see configurations.js
   * @param {number} choice who is to move the bytes
   */
  adopt(head, configuration, choice) {
    /** @type {any} */
    const socket = this.socket;
    const { bytesRead, number, response } = takeHeld(socket, this);
    const received = head.length === 0 ? undefined : head;
    const id = native.adopt(number, configuration, response, received, choice);
    this.bytesReadBefore = bytesRead - head.length;
    if (id === -1) {
      nextTick(() => socket.destroy());
    } else {
      this.id = id;
      native.setOwner(id, this);
      // Of what was written, the connection counts only what the kernel has not taken at once.
      this.bytesWrittenBefore = Buffer.byteLength(response) - this.queuedTotal;
      if (received !== undefined) nextTick(deliverKnown, this);
    }
    this.setReferenced(true);
  }

  /** Bytes that were read from the socket. */
  get bytesRead() {
    return this.bytesReadBefore + this.receivedTotal;
  }

  /** Bytes that were written to the socket, or wait for that. */
  get bytesWritten() {
    return this.bytesWrittenBefore + this.queuedTotal;
  }

  flushLater() {
    this.isDirty = true;
    if (this.isTimed) this.noteActivity();
    flushSocketsLater();
  }

  /** Writes what is queued, as far as the kernel takes it at once. */
  flush() {
    if (!this.isDirty) return;
    this.isDirty = false;
    native.flushNow(this.id);
  }

  get kind() {
    return native.isOnThread(this.id) === 1 ? 'io_threads' : 'event_loop';
  }

  /** Bytes queued for the peer that the kernel has not taken. */
  get bufferedAmount() {
    if (this.isLost) return this.socket.writableLength;
    this.flush();
    return native.pending(this.id);
  }

  /** @param {number} total */
  settleUpTo(total) {
    super.settleUpTo(total);
    // The kernel has not taken all of it.
    this.askForNotice();
  }

  settleWritten() {
    this.settle(this.writtenTotal);
  }

  /** One notice at a time, which spares a call into the addon for each further send. */
  askForNotice() {
    if (this.isNotified || this.callbacks === null || this.callbacks.isEmpty) return;
    this.isNotified = true;
    native.notify(this.id);
  }

  /**
   * Called by the addon, through native.js.
   *
   * @param {number} count readable records; 0: to go on
   * @returns {boolean} whether to be called again, when ticks and microtasks have run
   */
  deliver(count) {
    return this.resource.runInAsyncScope(this.deliverInContext, this, count);
  }

  /**
   * @param {number} count
   * @returns {boolean}
   */
  deliverInContext(count) {
    if (count > 0) readRecords(this, count);
    this.checkMembers();
    // What an event answers has left before it: callbacks come first, and what they have promised.
    if (this.callbacks !== null && !this.callbacks.isEmpty) {
      if (this.settle(this.writtenTotal)) return true;
    }
    if (this.isTimed) this.noteActivity();
    drainDelivered(this);
    // A listener may have replaced what answers pings.
    if (this.mayPong) events.updateThreadPongs(this);
    if (this.isWaiting) return true;
    this.throttle();
    return false;
  }

  /** Lets an I/O thread answer pings, if no user code would see that. Another transport that this has become has no such method. */
  allowPongs() {
    this.mayPong = events.canThreadPong(this);
    if (this.mayPong) this.connection.setAutoPong(true);
  }

  /** @param {number} count readable records */
  readKnown(count) {
    this.isKnown = true;
    try {
      this.read(count);
    } finally {
      this.isKnown = false;
    }
    this.throttle();
  }

  /** What follows a message that is being inflated is not read anyway, but the message must be delivered. */
  get canGoOn() {
    return true;
  }

  throttle() {
    if (!this.isInflating) super.throttle();
  }

  /** setTimeout() of the facade measures inactivity of this connection. */
  noteActivity() {
    const { receivedTotal, queuedTotal } = this;
    this.noticedBytes = receivedTotal + queuedTotal;
    this.socket._unrefTimer();
  }

  /** Whether bytes have moved that no event has told of: parts of a message, output that the peer takes slowly. */
  hasMovedBytes() {
    const { receivedTotal, writtenTotal } = this;
    const bytes = receivedTotal + writtenTotal;
    const hasMoved = bytes !== this.noticedBytes;
    this.noticedBytes = bytes;
    return hasMoved;
  }

  /**
   * @param {number} head
   * @param {any} payload
   * @param {any} detail
   */
  handleTransportRecord(head, payload, detail) {
    const { socket } = this;
    switch (head & 0xff) {
      case WRITTEN:
        this.isNotified = false;
        this.settle(payload);
        this.askForNotice();
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
        this.settleShutdown();
        break;
    }
  }

  letGo() {
    this.retire();
  }

  socketClosed() {
    try {
      if (this.isHeld) this.goOn();
      else this.drain();
    } finally {
      super.socketClosed();
    }
  }

  // For the facade

  /**
   * Gives the descriptor back to the socket: Node moves the bytes from now on, and this is a HandedBackTransport.
   *
   * @returns {boolean} false: the socket has none any more, or Node can't have it
   */
  handBack() {
    return handBack(this);
  }

  /**
   * Hands back if a program has replaced a member of the socket that bytes go through.
   *
   * @returns {boolean} whether it has
   */
  checkMembers() {
    return !isUnpatched(this.socket) && this.handBack();
  }

  /** The same for what a send would call. The members that are for reading are looked at when something is delivered. */
  checkOutputMembers() {
    if (!isOutputUnpatched(this.socket)) this.handBack();
  }

  /**
   * Whether `drain` is to come: so many bytes have been pending since none were.
   *
   * @param {number} mark
   * @returns {boolean} if true, it comes
   */
  needsDrain(mark) {
    return this.connection.needsDrain(mark);
  }

  /**
   * Has `drain` come from now on whenever no bytes are pending any more after so many were.
   *
   * @param {number} mark
   */
  watchDrain(mark) {
    this.connection.watchDrain(mark);
  }

  /**
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
  settleShutdown(error) {
    const callback = this.shutdownCallback;
    this.shutdownCallback = null;
    callback?.(error);
  }

  /**
   * The facade is being destroyed: ends the native side at once.
   *
   * @param {Error | null} error
   */
  socketDestroyed(error) {
    if (this.isLost || this.isSocketDestroyed) return;
    this.isSocketDestroyed = true;
    this.release(() => error ?? createError('STREAM_DESTROYED'));
  }

  /**
   * Lets go of the descriptor.
   *
   * @param {() => Error} reasonFor why what has not left fails
   */
  release(reasonFor) {
    // What has been sent goes out as far as the kernel takes it, and what a pause held back is kept.
    this.flush();
    const { writtenTotal } = this;
    const count = native.lastRead(this.id);
    if (count > 0) {
      readRecords(this, count);
      // It comes when the socket has closed, also if an event was just told.
      this.isHeld = true;
    }
    native.destroy(this.id);
    this.setReferenced(false);
    if (!this.isAwaited && this.shutdownCallback === null) return;
    const reason = reasonFor();
    nextTick(() => {
      this.settle(writtenTotal);
      this.settle(Infinity, reason);
      this.settleShutdown(reason);
    });
  }

  /** Node is about to close the descriptor, or to give it away. What is sent from now on fails as Node says. */
  descriptorLost() {
    const { socket } = this;
    if (socket.destroyed) this.socketDestroyed(null);
    if (socket.destroyed || this.isLost) return;
    this.isLost = true;
    this.isCut = true;
    this.release(() => createSystemError('write', constants.errno.ECANCELED));
    if (Object.getPrototypeOf(socket) === ParkedSocket.prototype) unpark(socket);
  }

  /** @param {boolean} isReferenced whether to keep the environment alive */
  setReferenced(isReferenced) {
    if (isReferenced === this.isReferenced) return;
    this.isReferenced = isReferenced;
    if (isReferenced) native.environment.ref();
    else native.environment.unref();
  }
}

/**
 * What came with the handshake is known already: as with a net.Socket that was given bytes back, it is told in the next
 * tick, before anything else is read.
 *
 * @param {PlainSocketTransport} transport
 */
function deliverKnown(transport) {
  const count = native.collect(transport.id);
  if (count > 0) transport.resource.runInAsyncScope(transport.readKnown, transport, count);
}

module.exports = { PlainSocketTransport, canPark };
