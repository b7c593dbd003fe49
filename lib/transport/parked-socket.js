'use strict';

/*
 * A net.Socket whose descriptor has been handed to the addon: it moves no bytes any more, but whoever holds
 * it still gets what he expects of a socket. Only plain-socket.js parks sockets; accepted-socket.js makes some of its own.
 */

const net = require('net');

const native = require('../native');
const { kTransport } = require('../constants');
const { guard } = require('./handle-guard');
const { toBuffer } = require('../buffer-util');

/** @typedef {import('./transport').Socket} Socket */
/** @typedef {(error?: Error | null) => void} Callback */

/**
 * The prototype of a parked socket; nothing is ever constructed. One prototype instead of a dozen own
 * properties per socket keeps idle connections small. The one that there is, `[kTransport]`, is the
 * PlainSocketTransport.
 *
 * @type {any}
 */
const PlainSocket = net.Socket;

class ParkedSocket extends PlainSocket {
  /** Nobody but the addon reads. */
  _read() {}

  /**
   * Bytes go to the connection at once: were they kept back until others have left, or because the socket is
   * corked, a send() would overtake them.
   *
   * @param {any} chunk
   * @param {any} [encoding]
   * @param {Callback} [callback]
   */
  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (this.writable) {
      if (typeof chunk === 'string') chunk = Buffer.from(chunk, encoding);
      else if (ArrayBuffer.isView(chunk)) chunk = toBuffer(chunk);
      if (Buffer.isBuffer(chunk)) this[kTransport].write([chunk]);
    }
    return super.write(chunk, encoding, callback);
  }

  /**
   * @param {any} [chunk]
   * @param {any} [encoding]
   * @param {Callback} [callback]
   */
  end(chunk, encoding, callback) {
    if (typeof chunk === 'function') {
      callback = chunk;
      chunk = undefined;
    }
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    this[kTransport].isCut = true;
    return super.end(callback);
  }

  /**
   * What is left of a write: to wait until the bytes have left.
   *
   * @param {Buffer} _chunk
   * @param {BufferEncoding} _encoding
   * @param {Callback} callback
   */
  _write(_chunk, _encoding, callback) {
    const transport = this[kTransport];
    transport.waitFor(transport.queuedTotal, callback, true);
  }

  /**
   * @param {unknown[]} _chunks
   * @param {Callback} callback
   */
  _writev(_chunks, callback) {
    const transport = this[kTransport];
    transport.waitFor(transport.queuedTotal, callback, true);
  }

  /** @param {Callback} callback */
  _final(callback) {
    this[kTransport].shutdown(callback);
  }

  /**
   * @param {Error | null} error
   * @param {Callback} callback
   */
  _destroy(error, callback) {
    this[kTransport].socketDestroyed(error);
    super._destroy(error, callback);
  }

  pause() {
    native.pause(this[kTransport].id);
    return super.pause();
  }

  resume() {
    native.resume(this[kTransport].id);
    return super.resume();
  }

  /**
   * @param {number} timeout
   * @param {() => void} [callback]
   */
  setTimeout(timeout, callback) {
    super.setTimeout(timeout, callback);
    const transport = this[kTransport];
    transport.isTimed = this.timeout > 0;
    if (transport.isTimed) transport.noteActivity();
    return this;
  }

  _onTimeout() {
    if (this[kTransport].hasMovedBytes()) this._unrefTimer();
    else super._onTimeout();
  }

  /**
   * Who listens to the raw bytes gets them, from then on.
   *
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  on(event, listener) {
    if (event === 'data') this[kTransport].connection.tap();
    return super.on(event, listener);
  }

  /**
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  addListener(event, listener) {
    return this.on(event, listener);
  }

  cork() {
    this[kTransport].connection.cork(true);
    return super.cork();
  }

  uncork() {
    super.uncork();
    if (this.writableCorked === 0) this[kTransport].connection.cork(false);
  }

  ref() {
    if (!this.destroyed) this[kTransport].setReferenced(true);
    return super.ref();
  }

  unref() {
    this[kTransport].setReferenced(false);
    return super.unref();
  }

  /** The peer sends no more. Its transport says so, as what follows. */
  _nativeEnd() {
    this.push(null);
    this.read(0);
  }

  /** What was queued has left. */
  _nativeDrain() {
    this.emit('drain');
  }

  get _handle() {
    return super._handle;
  }

  /** Whoever takes the handle away may close its descriptor, or give it to another process: the addon lets go first. */
  set _handle(handle) {
    if (handle === null && !this.destroyed) this[kTransport].descriptorLost();
    super._handle = handle;
  }

  get bytesRead() {
    return this[kTransport].bytesRead;
  }

  get bytesWritten() {
    return this._bytesDispatched + this[kTransport].bytesWritten;
  }

  get writableLength() {
    return this[kTransport].bufferedAmount;
  }

  get writableNeedDrain() {
    return super.writableNeedDrain || this.writableLength >= this.writableHighWaterMark;
  }

  get bufferSize() {
    return this._handle ? this.writableLength : undefined;
  }
}

// It is still the Socket that whoever logs it knows.
Object.defineProperty(ParkedSocket.prototype, 'constructor', { value: net.Socket });

/**
 * Whether sockets are Node's own. Bun and Deno have descriptors of some and functions of libuv, too, but theirs do less: some
 * functions end the process.
 */
const areSocketsOfNode = !('bun' in process.versions || 'deno' in process.versions);

/**
 * Whether the descriptor can be taken from `socket` without anybody noticing.
 *
 * @param {any} socket any Duplex
 * @returns {boolean}
 */
function canPark(socket) {
  return (
    areSocketsOfNode &&
    Object.getPrototypeOf(socket) === net.Socket.prototype &&
    !socket.encrypted &&
    socket._handle?.fd >= 0 &&
    typeof socket._handle.readStop === 'function' &&
    !socket.destroyed &&
    socket.writable &&
    socket.writableLength === 0 &&
    !socket._readableState.ended &&
    socket.listenerCount('data') === 0 &&
    socket.listenerCount('readable') === 0 &&
    !isWrapped(socket)
  );
}

/**
 * Whether somebody looks at the bytes by wrapping a method. He would see none if Node did not move them.
 *
 * @param {any} socket
 * @returns {boolean}
 */
function isWrapped(socket) {
  return ['write', '_write', 'push'].some((name) => Object.hasOwn(socket, name));
}

/**
 * Stops Node's reading and turns `socket` into a facade.
 *
 * @param {Socket} socket canPark() has said yes
 * @param {any} transport
 * @param {Buffer} head bytes that have already been read from the socket
 * @param {(fd: number, received: Buffer | undefined) => boolean} attach hands the descriptor over
 * @returns {boolean} what `attach` returned; if false, the socket is as before
 */
function park(socket, transport, head, attach) {
  const handle = socket._handle;
  const wasPaused = socket.readableFlowing === false;
  handle.readStop();
  handle.reading = false;

  Object.setPrototypeOf(socket, ParkedSocket.prototype);
  socket[kTransport] = transport;
  // An HTTP server leaves this on its sockets; it would hide that of a parked one.
  if (socket.on === net.Socket.prototype.on) Reflect.deleteProperty(socket, 'on');
  /** @type {Buffer[]} */
  const chunks = head.length > 0 ? [head] : [];
  while (socket.readableLength > 0) chunks.push(socket.read());
  const received = chunks.length > 1 ? Buffer.concat(chunks) : chunks[0];

  if (!attach(handle.fd, received)) {
    Object.setPrototypeOf(socket, net.Socket.prototype);
    handle.reading = true;
    handle.readStart();
    for (const chunk of chunks.slice(head.length > 0 ? 1 : 0).reverse()) socket.unshift(chunk);
    return false;
  }

  guard(handle, transport);
  transport.isTimed = Number(socket.timeout) > 0;
  // The connection counts what it was handed over, too.
  transport.bytesReadBefore = handle.bytesRead - (received?.length ?? 0);
  if (handle.hasRef()) transport.setReferenced(true);
  // Flowing, so that the end of the stream is seen; unless the user has paused it.
  if (wasPaused) native.pause(transport.id);
  else net.Socket.prototype.resume.call(socket);
  return true;
}

module.exports = { ParkedSocket, areSocketsOfNode, canPark, isWrapped, park };
