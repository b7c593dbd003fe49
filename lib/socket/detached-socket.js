'use strict';

/*
 * A net.Socket whose descriptor the addon reads and writes. It moves no bytes itself, but behaves to programs as a socket that
 * does. detach.js detaches sockets; materialize.js creates detached ones from lazy sockets.
 *
 * Members that need the bytes to pass through the socket (listeners for `data`, reading, replaced methods) first have the
 * transport fall back to a stream, and then act as those of Node.
 */

const net = require('net');

const native = require('../native');
const { kTransport } = require('../constants');
const { defineHidden } = require('../node/define');
const { setDetachedMembers } = require('./replaced-members');
const { toBuffer } = require('../buffer-util');

/** @typedef {(error?: Error | null) => void} Callback */

/** Chunks that write() has queued in the connection, and that Node has yet to pass to `_write()`. @type {any} */
const kForwarded = Symbol('forwarded');

/** @type {any} the types lack some members */
const NodeSocket = net.Socket;

const { end } = net.Socket.prototype;

/**
 * The prototype of detached sockets, which are never constructed. One prototype in place of a dozen own properties per socket
 * keeps idle connections small. The own property `[kTransport]`, a NativeTransport, marks a socket as detached.
 */
class DetachedSocket extends NodeSocket {
  /** The addon reads. */
  _read() {}

  /**
   * Queues bytes in the connection at once: a send() would overtake bytes that wait for earlier writes or for uncork().
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
        if (!this[kForwarded]) defineHidden(this, kForwarded, []);
        this[kForwarded].push(chunk);
      }
    }
    const hasRoom = super.write(chunk, encoding, callback);
    // Output of the connection counts, too. `false` must be followed by `drain`, which needsDrain() requests.
    const mark = this.writableHighWaterMark;
    if (this.destroyed || this.writableLength < mark) return hasRoom;
    return !this[kTransport].connection.needsDrain(mark) && hasRoom;
  }

  /** @param {any} [chunk] @param {any} [encoding] @param {Callback} [callback] */
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
    // Not by an own write(), which is Node's and refuses the chunk if the peer has ended.
    if (chunk !== undefined && chunk !== null) {
      DetachedSocket.prototype.write.call(this, chunk, encoding);
    }
    this[kTransport].isOutputEnded = true;
    if (callback === undefined && isFinished(this)) return this;
    return super.end(callback);
  }

  /**
   * Called by Node for each write(): completes when the bytes have been written. Queues them first if the program has called
   * Node's own write().
   *
   * @param {Buffer} chunk
   * @param {BufferEncoding} encoding
   * @param {Callback} callback
   */
  _write(chunk, encoding, callback) {
    this._writev([{ chunk, encoding }], callback);
  }

  /** @param {{ chunk: any, encoding: any }[]} chunks @param {Callback} callback */
  _writev(chunks, callback) {
    const transport = this[kTransport];
    for (const { chunk, encoding } of chunks) {
      if (this[kForwarded]?.[0] === chunk) this[kForwarded].shift();
      else transport.write([typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk]);
    }
    transport.addWriteCallback(transport.queuedTotal, callback, true);
  }

  /** @param {Callback} callback */
  _final(callback) {
    if (this.pending) return super._final(callback);
    this[kTransport].shutdown(callback);
  }

  /** @param {Error | null} error @param {Callback} callback */
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

  /** @param {number} timeout @param {() => void} [callback] */
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
   * Falls back if a program reads. A flowing socket is read by Node only, and size 0 reads nothing.
   *
   * @param {number} [size]
   */
  read(size) {
    if (size !== 0 && this.readableFlowing === false)
      this[kTransport].fallBack('read() was called');
    return super.read(size);
  }

  /**
   * Falls back if a program emits bytes: ws parses them as the peer's. Node emits `readable` itself at the end of the stream.
   *
   * @param {string | symbol} event
   * @param {any[]} args
   */
  emit(event, ...args) {
    if (event === 'data' || (event === 'readable' && !this._readableState.ended)) {
      this[kTransport].fallBack(`'${event}' was emitted`);
    }
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

  /** Called by the transport when the peer has ended its side. */
  _nativeEnd() {
    super.push(null);
    super.read(0);
  }

  /** Called by the transport when no output is pending. With `needDrain` set, Node emits `drain` after its write callbacks. */
  _nativeDrain() {
    if (!this._writableState.needDrain) this.emit('drain');
  }

  get _handle() {
    return super._handle;
  }

  /**
   * Has the addon stop using the descriptor when the handle is taken away: the descriptor may then be closed, or belong to
   * another process. Node does so when the socket is destroyed, also if a program has replaced `_destroy()`.
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
    return this.writable && this[kTransport].connection.needsDrain(this.writableHighWaterMark);
  }

  get bufferSize() {
    return this._handle ? this.writableLength : undefined;
  }
}

/** @type {any} */
const prototype = DetachedSocket.prototype;

// Programs see the class net.Socket.
Object.defineProperty(prototype, 'constructor', { value: net.Socket });

/** Methods that add a listener; the event is the first argument. */
const ADDING = ['addListener', 'on', 'once', 'prependListener', 'prependOnceListener'];
/** Other methods whose first argument is an event. */
const OF_EVENTS = ['listenerCount', 'listeners', 'off', 'rawListeners', 'removeListener'];

for (const name of [...ADDING, ...OF_EVENTS]) {
  override(name, (socket, event) => {
    if (event === 'data' || event === 'readable') {
      socket[kTransport].fallBack(`${name}('${event}') was called`);
    } else if (event === 'drain' && ADDING.includes(name)) {
      socket[kTransport].connection.watchDrain(socket.writableHighWaterMark);
    }
  });
}

// With ws, the listener of the WebSocket for `data` is one of those removed.
override('removeAllListeners', (socket, event) => {
  if (event === undefined || event === 'data' || event === 'readable') {
    socket[kTransport].fallBack('removeAllListeners() was called');
  }
});

// The iterators and compose() are the base of the operators of streams.
for (const name of [
  'eventNames',
  'pipe',
  'push',
  'setEncoding',
  'unpipe',
  'unshift',
  'wrap',
  'compose',
  'iterator',
  Symbol.asyncIterator
]) {
  if (!(name in net.Socket.prototype)) continue;
  override(name, (socket) => socket[kTransport].fallBack(`${String(name)}() was called`));
}

/**
 * Defines a method that calls `before`, and then the method of Node.
 *
 * @param {string | symbol} name
 * @param {(socket: any, argument: any) => void} before
 */
function override(name, before) {
  const method = {
    /** @this {any} @param {any[]} args */
    [name](...args) {
      before(this, args[0]);
      return Reflect.get(net.Socket.prototype, name).apply(this, args);
    }
  }[/** @type {string} */ (name)];
  defineHidden(prototype, name, method);
}

// A method may be taken from a detached socket, and be called when it no longer is one.
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
  Object.defineProperty(value, 'name', { configurable: true, value: method.name });
  defineHidden(prototype, name, value);
}

setDetachedMembers(prototype);

/**
 * True if end() without an argument does nothing but create an error for its callback, with a stack.
 *
 * @param {any} socket
 */
function isFinished(socket) {
  return socket.writableFinished && socket.writableCorked === 0 && NodeSocket.prototype.end === end;
}

/** @param {any} socket any Duplex, or an object that inherits from one */
function isDetached(socket) {
  return Boolean(socket[kTransport]);
}

/**
 * Gives a net.Socket the prototype and the mark of a detached one.
 *
 * @param {any} socket
 * @param {any} transport
 */
function markDetached(socket, transport) {
  // In this order: V8 gives each socket a hidden class of its own if properties are added behind the change of the prototype.
  defineHidden(socket, kTransport, transport);
  Object.setPrototypeOf(socket, DetachedSocket.prototype);
  // Node's HTTP server leaves these on its sockets; they would shadow those of the prototype.
  for (const name of ['on', 'addListener', 'prependListener']) {
    if (Object.hasOwn(socket, name)) Reflect.deleteProperty(socket, name);
  }
}

/** Undoes markDetached(). @param {any} socket */
function reattach(socket) {
  Object.setPrototypeOf(socket, net.Socket.prototype);
  Reflect.deleteProperty(socket, kTransport);
}

/**
 * Takes the chunks that write() has queued in the connection, and that Node has yet to pass to `_write()` or `_writev()`.
 *
 * @param {any} socket that was detached
 * @returns {any[]}
 */
function takeForwarded(socket) {
  const forwarded = socket[kForwarded] ?? [];
  Reflect.deleteProperty(socket, kForwarded);
  return forwarded;
}

module.exports = { DetachedSocket, markDetached, reattach, takeForwarded };
