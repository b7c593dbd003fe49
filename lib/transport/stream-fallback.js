'use strict';

/*
 * The fallback from the addon to Node, at any time after `open`: a program has used the socket in a way that needs its bytes
 * to pass through it. The connection keeps its state, and the WebSocket its transport object, which becomes a
 * FallbackTransport in place. Only native-transport.js calls in.
 *
 * After the fallback each command writes at once, as in ws, and every member of the socket is looked up when it is called.
 */

const net = require('net');

const native = require('../native');
const { StreamTransport } = require('./stream-transport');
const { createSystemError } = require('../errors');
const { debug, isDebugging } = require('./debug');
const { defineHidden } = require('../node/define');
const { isLazy, materialize } = require('../socket/materialize');
const { runStreamDelivery } = require('./flush-scheduler');
const { readRecords, takeOutput } = require('./record-reader');
const { takeForwarded, reattach } = require('../socket/detached-socket');
const { setCounter, unguard } = require('../socket/handle-guard');
const { nextTick, setImmediate } = require('../node/schedule');

const { DRAIN, END, FAULT, SHUTDOWN, WRITTEN } = native.RecordKind;
const { WRITE } = native.RecordFlag;

/** Result of Connection.handBack(): bits, and the errno from bit 8 on. */
const DRAINED = 1;
const SHUT_DOWN = 2;
const FAILED_WRITE = 4;
const ERRNO_SHIFT = 8;

/** @type {any} the original members, which include some that the types lack */
const node = net.Socket.prototype;

class FallbackTransport extends StreamTransport {
  /** A program has replaced a member, or may do so at any time. */
  get hasNodeOutput() {
    return false;
  }

  flushLater() {
    this.isDirty = true;
    this.flush();
  }

  /** @param {Buffer} output @param {((error?: Error | null) => void) | undefined} callback */
  writeToSocket(output, callback) {
    this.writeCorked(output, callback);
  }

  /** @param {Buffer} chunk */
  receive(chunk) {
    /** @type {any} it was a NativeTransport */
    const transport = this;
    transport.resource.runInAsyncScope(super.receive, this, chunk);
  }

  /** Delivers events that had been parsed before the fallback. */
  deliverParsed() {
    runStreamDelivery(this, native.more(this.id));
    this.throttle();
  }

  readRemaining() {
    if (!this.websocket._closeFrameReceived && !this.hasFailed) this.read(native.more(this.id));
    super.readRemaining();
  }

  /**
   * Handles records that were read before the fallback.
   *
   * @param {number} head
   * @param {any} payload WRITTEN: the running total
   * @param {any} detail FAULT: the errno
   */
  handleTransportRecord(head, payload, detail) {
    const { socket } = this;
    switch (head & 0xff) {
      case WRITTEN:
        this.complete(payload);
        break;
      case DRAIN:
        socket.emit('drain');
        break;
      case FAULT:
        socket.destroy(createSystemError((head & WRITE) !== 0 ? 'write' : 'read', detail));
        break;
      case END:
      case SHUTDOWN:
        // Node reads the end of the stream itself, and startStream() has completed the shutdown.
        break;
    }
  }

  dispose() {
    this.releaseId();
  }
}

/**
 * Gives the descriptor back to Node and makes the transport a FallbackTransport.
 *
 * @param {any} transport a NativeTransport
 * @param {string} reason for debug output
 * @returns {boolean} false: the socket has no descriptor, or Node cannot have it
 */
function fallBackToStream(transport, reason) {
  const { id, socket } = transport;
  if (transport.isSocketDestroyed || id === native.NO_CONNECTION || socket.destroyed) return false;
  // A handle of Node owns the descriptor from here on.
  if (isLazy(socket)) materialize(socket);
  const handle = socket._handle;
  if (!handle) return false;

  // Records read here are emitted by the current delivery, or by the immediate below.
  transport.canYield = false;
  readRecords(transport, native.more(id));
  const { bytesRead, isReferenced } = transport;
  const bytesWritten =
    socket._bytesDispatched + transport.bytesWrittenBefore + transport.writtenTotal;
  const result = transport.connection.handBack();
  if (result === -1) return false;
  if (isDebugging) debug('connection %d falls back to stream: %s', id, reason);

  transport.setReferenced(false);
  unguard(handle);
  const forwarded = takeForwarded(socket);
  reattach(socket);
  if (!isReferenced) handle.unref?.();
  setCounter(handle, 'bytesRead', bytesRead);
  setCounter(handle, 'bytesWritten', bytesWritten);
  Object.setPrototypeOf(transport, FallbackTransport.prototype);
  startStream(transport, result, forwarded);
  if (transport.hasPending) setImmediate(() => transport.emitPending());
  return true;
}

/**
 * Continues where the addon has stopped: output, shutdown, error, input.
 *
 * @param {any} transport a FallbackTransport
 * @param {number} result of Connection.handBack()
 * @param {any[]} forwarded chunks that Node will pass to `_write()` though the connection has queued them
 */
function startStream(transport, result, forwarded) {
  const { socket } = transport;
  transport.given = transport.written = native.writtenTotal(transport.id);
  transport.isDirty = false;
  writeQueued(transport, (result & DRAINED) !== 0);
  if (forwarded.length > 0) skipForwarded(socket, forwarded);

  const { shutdownCallback } = transport;
  transport.shutdownCallback = null;
  if (shutdownCallback !== null) {
    if (transport.isShutDown || (result & SHUT_DOWN) !== 0) nextTick(shutdownCallback);
    else node._final.call(socket, shutdownCallback);
  }

  const errno = result >> ERRNO_SHIFT;
  if (errno !== 0) {
    const error = createSystemError((result & FAILED_WRITE) !== 0 ? 'write' : 'read', errno);
    nextTick(() => socket.destroy(error));
  }

  if (transport.receivedTotal > 0) socket._readableState.dataEmitted = true;
  const isPaused = socket.readableFlowing === false;
  transport.listen();
  if (!socket._readableState.ended) {
    // If the detached socket was read from, its state says that a read is under way, and Node would not call _read().
    node.read.call(socket, 0);
    if (!socket._handle?.reading) node._read.call(socket, 0);
  }
  if (transport.isInflating) transport.throttle();
  if (isPaused) node.once.call(socket, 'resume', () => transport.deliverParsed());
  else nextTick(() => transport.deliverParsed());
}

/**
 * Writes the output that the connection had queued, by the original members: ws would have written it before the program
 * replaced them.
 *
 * @param {any} transport
 * @param {boolean} isDrainDue true if `drain` must be emitted
 */
function writeQueued(transport, isDrainDue) {
  const { socket } = transport;
  const output = takeOutput(transport, false);
  const done = (/** @type {Error | null | undefined} */ error) => {
    transport.complete((transport.written = total), error);
    if (isDrainDue && !socket.destroyed && !socket._writableState.needDrain) socket.emit('drain');
  };
  const total = (transport.given += output === null ? 0 : output.length);
  if (output === null) {
    if (isDrainDue || transport.hasCallbacks) nextTick(done);
  } else if (socket._writableState.length > 0 || socket._writableState.ending) {
    // A Writable would queue it behind a write whose callback waits for these bytes.
    node._writeGeneric.call(socket, false, output, 'buffer', done);
  } else {
    node.write.call(socket, output, done);
  }
}

/**
 * Makes the next `_write()` or `_writev()` of a socket leave out chunks that the connection had queued already.
 *
 * @param {any} socket
 * @param {any[]} forwarded in order
 */
function skipForwarded(socket, forwarded) {
  const restore = () => {
    for (const name of ['_write', '_writev']) Reflect.deleteProperty(socket, name);
  };
  const writev = (/** @type {any[]} */ chunks, /** @type {() => void} */ callback) => {
    let count = 0;
    while (count < chunks.length && forwarded[0] === chunks[count].chunk) {
      forwarded.shift();
      count++;
    }
    if (forwarded.length === 0 || count === 0) restore();
    if (count === chunks.length) {
      nextTick(callback);
    } else {
      const remaining = Object.assign(chunks.slice(count), { allBuffers: false });
      node._writev.call(socket, remaining, callback);
    }
  };
  defineHidden(socket, '_writev', writev);
  defineHidden(
    socket,
    '_write',
    (/** @type {any} */ chunk, /** @type {any} */ encoding, /** @type {any} */ callback) =>
      writev([{ chunk, encoding }], callback)
  );
}

module.exports = { fallBackToStream };
