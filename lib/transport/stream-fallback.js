'use strict';

/*
 * From the addon back to Node, at any moment after `open`: the transport of a connection whose socket a program has reached into
 * in a way that needs its bytes to pass through it. The connection keeps its state, and its WebSocket its transport object,
 * which becomes a FallbackTransport in place. plain-socket.js calls it.
 *
 * From then on each command writes at once, as ws does, and every member of the socket is looked up when it is called.
 */

const net = require('net');

const native = require('../native');
const { StreamTransport } = require('./stream-transport');
const { createSystemError } = require('../errors');
const { isLazy, materialize } = require('../socket/materialize');
const { runStreamDelivery } = require('./flush-scheduler');
const { readRecords, takeOutput } = require('./record-reader');
const { takeForwarded, reattach } = require('../socket/detached-socket');
const { unguard } = require('../socket/handle-guard');
const { nextTick, setImmediate } = require('../node/schedule');

const { DRAIN, END, FAULT, SHUTDOWN, WRITTEN } = native.RecordKind;
const { WRITE } = native.RecordFlag;

/** Bits of what Connection.handBack() returns. */
const DRAINED = 1;
const SHUT_DOWN = 2;
const FAILED_WRITE = 4;
const ERRNO_SHIFT = 8;

/** @type {any} members that the types do not know */
const node = net.Socket.prototype;

class FallbackTransport extends StreamTransport {
  /** Writes at once, through the members that the socket has now. */
  flushLater() {
    this.isDirty = true;
    this.flush();
  }

  /**
   * @param {Buffer} output
   * @param {((error?: Error | null) => void) | undefined} callback
   */
  writeToSocket(output, callback) {
    this.writeCorked(output, callback);
  }

  /** @param {Buffer} chunk */
  received(chunk) {
    /** @type {any} it was a NativeTransport */
    const transport = this;
    transport.resource.runInAsyncScope(super.received, this, chunk);
  }

  /** Delivers what had been parsed when the socket was handed back. */
  deliverParsed() {
    runStreamDelivery(this, native.more(this.id));
    this.throttle();
  }

  readRest() {
    if (!this.websocket._closeFrameReceived && !this.hasFailed) this.read(native.more(this.id));
    super.readRest();
  }

  /**
   * Records that were read before.
   *
   * @param {number} head
   * @param {any} payload
   * @param {any} detail
   */
  handleTransportRecord(head, payload, detail) {
    const { socket } = this;
    switch (head & 0xff) {
      case WRITTEN:
        this.settle(payload);
        break;
      case DRAIN:
        socket.emit('drain');
        break;
      case END:
        // Node reads it again, unless it has been told.
        break;
      case FAULT:
        socket.destroy(createSystemError((head & WRITE) !== 0 ? 'write' : 'read', detail));
        break;
      case SHUTDOWN:
        break;
    }
  }

  dispose() {
    this.releaseId();
  }
}

/**
 * @param {any} transport a NativeTransport
 * @returns {boolean} whether it is a FallbackTransport now
 */
function handBack(transport) {
  const { socket } = transport;
  if (transport.isSocketDestroyed || transport.id === native.NO_CONNECTION || socket.destroyed)
    return false;
  // Now it has a descriptor of Node's.
  if (isLazy(socket)) materialize(socket);
  const handle = socket._handle;
  if (!handle) return false;

  // Collected records are delivered by the delivery that runs now, or below.
  const isHeldUp = transport.hasPending;
  transport.canYield = false;
  readRecords(transport, native.more(transport.id));
  const { bytesRead, isReferenced } = transport;
  const bytesWritten =
    socket._bytesDispatched + transport.bytesWrittenBefore + transport.writtenTotal;
  const news = transport.connection.handBack();
  if (news === -1) return false;

  transport.setReferenced(false);
  unguard(handle);
  const passed = takeForwarded(socket);
  reattach(socket);
  if (!isReferenced) handle.unref?.();
  offsetCounter(handle, 'bytesRead', bytesRead);
  offsetCounter(handle, 'bytesWritten', bytesWritten);
  Object.setPrototypeOf(transport, FallbackTransport.prototype);
  begin(transport, news, passed);
  if (isHeldUp || (!transport.isBusy && transport.queue !== null)) {
    setImmediate(() => transport.drain());
  }
  return true;
}

/**
 * @param {any} transport a FallbackTransport
 * @param {number} news see Connection.handBack()
 * @param {any[]} passed chunks that Node passes to `_write()` again
 */
function begin(transport, news, passed) {
  const { socket } = transport;
  transport.given = transport.written = native.writtenTotal(transport.id);
  transport.isDirty = false;
  writeQueued(transport, (news & DRAINED) !== 0);
  if (passed.length > 0) skipForwarded(socket, passed);

  const { shutdownCallback } = transport;
  transport.shutdownCallback = null;
  if (shutdownCallback !== null) {
    if (transport.isShutDown || (news & SHUT_DOWN) !== 0) nextTick(shutdownCallback);
    else node._final.call(socket, shutdownCallback);
  }

  const errno = news >> ERRNO_SHIFT;
  if (errno !== 0) {
    const error = createSystemError((news & FAILED_WRITE) !== 0 ? 'write' : 'read', errno);
    nextTick(() => socket.destroy(error));
  }

  if (transport.receivedTotal > 0) socket._readableState.dataEmitted = true;
  const isPaused = socket.readableFlowing === false;
  transport.listen();
  if (!socket._readableState.ended) {
    // The facade may have been asked for bytes already, and then Node does not ask again.
    node.read.call(socket, 0);
    if (!socket._handle?.reading) node._read.call(socket, 0);
  }
  if (transport.isInflating) transport.throttle();
  // What a pause holds back waits for its end.
  if (isPaused) node.once.call(socket, 'resume', () => transport.deliverParsed());
  else nextTick(() => transport.deliverParsed());
}

/**
 * Writes what the connection had queued, past the program's members: ws would have written it before they were replaced.
 *
 * @param {any} transport
 * @param {boolean} isDrainDue whether `drain` is to come
 */
function writeQueued(transport, isDrainDue) {
  const { socket } = transport;
  const output = takeOutput(transport);
  const done = (/** @type {Error | null | undefined} */ error) => {
    transport.settle((transport.written = total), error);
    if (isDrainDue && !socket.destroyed && !socket._writableState.needDrain) socket.emit('drain');
  };
  const total = (transport.given += output === null ? 0 : output.length);
  if (output === null) {
    if (isDrainDue || transport.hasCallbacks) nextTick(done);
  } else if (socket._writableState.length > 0 || socket._writableState.ending) {
    // Node waits for the callback of a write that is part of this.
    node._writeGeneric.call(socket, false, output, 'buffer', done);
  } else {
    node.write.call(socket, output, done);
  }
}

/**
 * Has Node, for once, not write chunks that the connection had queued.
 *
 * @param {any} socket
 * @param {any[]} passed in order
 */
function skipForwarded(socket, passed) {
  const own = (/** @type {string} */ name, /** @type {Function} */ value) =>
    Object.defineProperty(socket, name, { configurable: true, value, writable: true });
  const restore = () => {
    for (const name of ['_write', '_writev']) Reflect.deleteProperty(socket, name);
  };
  const writev = (/** @type {any[]} */ chunks, /** @type {() => void} */ callback) => {
    let count = 0;
    while (count < chunks.length && passed[0] === chunks[count].chunk) {
      passed.shift();
      count++;
    }
    if (passed.length === 0 || count === 0) restore();
    if (count === chunks.length) {
      nextTick(callback);
    } else {
      const rest = Object.assign(chunks.slice(count), { allBuffers: false });
      node._writev.call(socket, rest, callback);
    }
  };
  own('_writev', writev);
  own(
    '_write',
    (/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) =>
      writev([{ chunk, encoding }], callback)
  );
}

/**
 * Has a handle of Node's count what it has not moved itself, too.
 *
 * @param {any} handle
 * @param {'bytesRead' | 'bytesWritten'} name
 * @param {number} total what it is to say now
 */
function offsetCounter(handle, name, total) {
  const prototype = Object.getPrototypeOf(handle);
  const before = total - Reflect.get(prototype, name, handle);
  const get = () => before + Reflect.get(prototype, name, handle);
  Object.defineProperty(handle, name, { configurable: true, get });
}

module.exports = { handBack };
