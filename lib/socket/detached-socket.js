'use strict';

/*
 * A net.Socket whose descriptor has been handed to the addon: it moves no bytes any more, but does for those who hold it what
 * they expect of a socket. Only plain-socket.js parks sockets; touched-socket.js makes some of its own.
 *
 * Members that need bytes to pass through the socket itself (listeners for `data`, reading, replaced methods) first have the
 * transport hand the descriptor back (handed-back.js), and are then those of Node.
 */

const net = require('net');
const { Readable } = require('stream');

const native = require('../native');
const { kTransport } = require('../constants');
const { guard } = require('./handle-guard');
const { hasOwnMethods, isNodeUnpatched, setDetachedMembers } = require('./replaced-members');
const { toBuffer } = require('../buffer-util');

/** @typedef {import('../transport/base-transport').Socket} Socket */
/** @typedef {(error?: Error | null) => void} Callback */

/** Chunks that write() has given to the connection and `_write()` has not seen yet. @type {any} */
const kForwarded = Symbol('passed');

/**
 * The prototype of a parked socket; nothing is ever constructed. One prototype instead of a dozen own properties per socket
 * keeps idle connections small. The one that there is, `[kTransport]`, is the NativeTransport, and says that the socket
 * is parked.
 *
 * @type {any}
 */
const PlainSocket = net.Socket;

class DetachedSocket extends PlainSocket {
  /** Only the addon reads. */
  _read() {}

  /**
   * Bytes go to the connection at once: were they kept back until others have left, or because the socket is corked, a send()
   * would overtake them.
   *
   * @param {any} chunk
   * @param {any} [encoding]
   * @param {Callback} [callback]
   */
  write(chunk, encoding, callback) {
    if (this[kTransport].checkMembers()) return super.write(chunk, encoding, callback);
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (this.writable) {
      if (typeof chunk === 'string') chunk = Buffer.from(chunk, encoding);
      else if (ArrayBuffer.isView(chunk)) chunk = toBuffer(chunk);
      if (Buffer.isBuffer(chunk)) {
        this[kTransport].write([chunk]);
        if (!this[kForwarded])
          Object.defineProperty(this, kForwarded, { configurable: true, value: [] });
        this[kForwarded].push(chunk);
      }
    }
    const hasRoom = super.write(chunk, encoding, callback);
    // What is queued for the peer counts, too. To ask is to be told: `false` is followed by `drain`.
    const mark = this.writableHighWaterMark;
    if (this.destroyed || this.writableLength < mark) return hasRoom;
    return !this[kTransport].needsDrain(mark) && hasRoom;
  }

  /**
   * @param {any} [chunk]
   * @param {any} [encoding]
   * @param {Callback} [callback]
   */
  end(chunk, encoding, callback) {
    if (this[kTransport].checkMembers()) return super.end(chunk, encoding, callback);
    if (typeof chunk === 'function') {
      callback = chunk;
      chunk = undefined;
    }
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    this[kTransport].isOutputEnded = true;
    return super.end(callback);
  }

  /**
   * The second half of a write(): waits until the bytes have left. A program that calls write() of Node itself has not gone
   * through the first.
   *
   * @param {Buffer} chunk
   * @param {BufferEncoding} encoding
   * @param {Callback} callback
   */
  _write(chunk, encoding, callback) {
    this._writev([{ chunk, encoding }], callback);
  }

  /**
   * @param {{ chunk: any, encoding: any }[]} chunks
   * @param {Callback} callback
   */
  _writev(chunks, callback) {
    const transport = this[kTransport];
    for (const { chunk, encoding } of chunks) {
      if (this[kForwarded]?.[0] === chunk) this[kForwarded].shift();
      else transport.write([typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk]);
    }
    transport.notifyWritten(transport.queuedTotal, callback, true);
  }

  /** @param {Callback} callback */
  _final(callback) {
    if (this.pending) return super._final(callback);
    this[kTransport].shutdown(callback);
  }

  /**
   * @param {Error | null} error
   * @param {Callback} callback
   */
  _destroy(error, callback) {
    this[kTransport].handleSocketDestroy(error);
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
   * Node calls it without a size, or with 0, while the socket flows.
   *
   * @param {number} [size]
   */
  read(size) {
    if (size !== 0 && this.readableFlowing === false) this[kTransport].handBack();
    return super.read(size);
  }

  /**
   * Bytes that a program emits are the peer's for ws.
   *
   * @param {string | symbol} event
   * @param {any[]} args
   */
  emit(event, ...args) {
    if (event === 'data' || event === 'readable') this[kTransport].handBack();
    return super.emit(event, ...args);
  }

  cork() {
    if (this[kTransport].checkMembers()) return super.cork();
    this[kTransport].connection.cork(true);
    return super.cork();
  }

  uncork() {
    if (this[kTransport].checkMembers()) return super.uncork();
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
    super.push(null);
    super.read(0);
  }

  /** What was queued has left. If write() has returned `false`, Node says so when the callbacks of its writes have come. */
  _nativeDrain() {
    if (!this._writableState.needDrain) this.emit('drain');
  }

  get _handle() {
    return super._handle;
  }

  /**
   * The descriptor of a handle that is taken away may be closed, or be another process's: the addon lets go first. Node does it
   * when the socket is destroyed, also if `_destroy` is a program's own.
   */
  set _handle(handle) {
    if (handle === null && this.destroyed) this[kTransport].handleSocketDestroy(null);
    else if (handle === null) this[kTransport].handleDescriptorLoss();
    super._handle = handle;
  }

  get readableDidRead() {
    return super.readableDidRead || this[kTransport].receivedTotal > 0;
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
    if (super.writableNeedDrain) return true;
    return this.writable && this[kTransport].needsDrain(this.writableHighWaterMark);
  }

  get bufferSize() {
    return this._handle ? this.writableLength : undefined;
  }
}

/** @type {any} */
const prototype = DetachedSocket.prototype;

// Its name remains that of the class that programs know.
Object.defineProperty(prototype, 'constructor', { value: net.Socket });

/** Methods that add a listener for the event that is their first argument, and others that take an event. */
const ADDING = ['addListener', 'on', 'once', 'prependListener', 'prependOnceListener'];
const OF_EVENTS = ['listenerCount', 'listeners', 'off', 'rawListeners', 'removeListener'];

for (const name of [...ADDING, ...OF_EVENTS]) {
  override(name, (socket, event) => {
    if (event === 'data' || event === 'readable') socket[kTransport].handBack();
    else if (event === 'drain' && ADDING.includes(name))
      socket[kTransport].watchDrain(socket.writableHighWaterMark);
  });
}

// With ws, the WebSocket's own listener for `data` is one of them.
override('removeAllListeners', (socket, event) => {
  if (event === undefined || event === 'data' || event === 'readable')
    socket[kTransport].handBack();
});

for (const name of ['eventNames', 'pipe', 'push', 'setEncoding', 'unpipe', 'unshift', 'wrap']) {
  override(name, (socket) => socket[kTransport].handBack());
}

// Operators of streams begin with one of these.
for (const name of ['compose', 'iterator', Symbol.asyncIterator]) {
  if (name in Readable.prototype) override(name, (socket) => socket[kTransport].handBack());
}

/**
 * Has a method of Node's do something first.
 *
 * @param {string | symbol} name
 * @param {(socket: any, argument: any) => void} before
 */
function override(name, before) {
  /** @this {any} @param {any[]} args */
  const value = function (...args) {
    before(this, args[0]);
    return net.Socket.prototype[/** @type {'on'} */ (name)].apply(this, /** @type {any} */ (args));
  };
  Object.defineProperty(prototype, name, { configurable: true, value, writable: true });
}

// A method may be taken from a socket while it is parked, and be called later.
for (const name of Reflect.ownKeys(prototype)) {
  const { value: method } = /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(prototype, name)
  );
  if (typeof method !== 'function' || name === 'constructor') continue;
  /** @this {any} @param {any[]} args */
  const value = function (...args) {
    if (!isDetached(this)) return Reflect.get(net.Socket.prototype, name).apply(this, args);
    return method.apply(this, args);
  };
  Object.defineProperty(value, 'name', { configurable: true, value: method.name || String(name) });
  Object.defineProperty(prototype, name, { configurable: true, value, writable: true });
}

setDetachedMembers(prototype);

/**
 * @param {any} socket any Duplex, or an object that inherits from one
 */
function isDetached(socket) {
  return Boolean(socket[kTransport]);
}

/**
 * Whether sockets are Node's own. Bun and Deno have descriptors of some and functions of libuv, too, but theirs do less: some
 * functions end the process.
 */
const hasNodeSockets = !('bun' in process.versions || 'deno' in process.versions);

/**
 * Whether the descriptor can be taken from `socket` without a program noticing.
 *
 * @param {any} socket any Duplex
 * @returns {boolean}
 */
function canDetach(socket) {
  return (
    hasNodeSockets &&
    Object.getPrototypeOf(socket) === net.Socket.prototype &&
    !socket.encrypted &&
    socket._handle?.fd >= 0 &&
    typeof socket._handle.readStop === 'function' &&
    !socket.destroyed &&
    socket.writable &&
    socket.writableLength === 0 &&
    !socket._readableState.ended &&
    socket._readableState.encoding === null &&
    socket.listenerCount('data') === 0 &&
    socket.listenerCount('readable') === 0 &&
    !hasOwnMethods(socket) &&
    isNodeUnpatched()
  );
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
function detach(socket, transport, head, attach) {
  const handle = socket._handle;
  const wasPaused = socket.readableFlowing === false;
  handle.readStop();
  handle.reading = false;

  /** @type {Buffer[]} */
  const chunks = head.length > 0 ? [head] : [];
  while (socket.readableLength > 0) chunks.push(socket.read());
  markDetached(socket, transport);
  const received = chunks.length > 1 ? Buffer.concat(chunks) : chunks[0];

  if (!attach(handle.fd, received)) {
    reattach(socket);
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
  if (socket.listenerCount('drain') > 0) transport.watchDrain(socket.writableHighWaterMark);
  // Flowing, so that the end of the stream is seen; unless the user has paused it.
  if (wasPaused) native.pause(transport.id);
  else net.Socket.prototype.resume.call(socket);
  return true;
}

/**
 * Gives a net.Socket the prototype of a facade.
 *
 * @param {any} socket
 * @param {any} transport
 */
function markDetached(socket, transport) {
  Object.setPrototypeOf(socket, DetachedSocket.prototype);
  Object.defineProperty(socket, kTransport, {
    configurable: true,
    value: transport,
    writable: true
  });
  // An HTTP server leaves these on its sockets; they would hide those of a parked one.
  for (const name of ['on', 'addListener', 'prependListener']) {
    if (Object.hasOwn(socket, name)) Reflect.deleteProperty(socket, name);
  }
}

/**
 * Undoes that.
 *
 * @param {any} socket
 */
function reattach(socket) {
  Object.setPrototypeOf(socket, net.Socket.prototype);
  Reflect.deleteProperty(socket, kTransport);
}

/**
 * The chunks that write() has given to the connection and that Node is still going to pass to `_write()` or `_writev()`.
 *
 * @param {any} socket which was parked
 * @returns {any[]}
 */
function takeForwarded(socket) {
  const passed = socket[kForwarded] ?? [];
  Reflect.deleteProperty(socket, kForwarded);
  return passed;
}

module.exports = {
  DetachedSocket,
  hasNodeSockets,
  canDetach,
  markDetached,
  detach,
  takeForwarded,
  reattach
};
