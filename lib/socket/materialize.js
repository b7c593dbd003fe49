'use strict';

/*
 * How an accepted socket becomes a net.Socket, in place, at the first touch of what it has not got: with a descriptor of
 * Node's, in the state that it would have come to, parked if a WebSocket has it. accepted-socket.js calls it.
 */

const net = require('net');

const events = require('../connection/websocket-events');
const { kTransport, kWebSocket } = require('../constants');
const { guard } = require('./handle-guard');
const { SocketFlag } = require('./socket-states');
const { DetachedSocket, markDetached } = require('./detached-socket');
const { setLazyMembers } = require('./replaced-members');

/** @type {any} members as Node has them, past those of the program's own on the socket */
const node = net.Socket.prototype;

const { CLOSED, DESTROYED, ENDING, FINISHED, INPUT_OVER, PEER_ENDED } = SocketFlag;

/**
 * The class whose instances become net.Sockets.
 *
 * @type {typeof import('./lazy-socket').LazySocket}
 */
let LazySocketClass;

/** @type {any} */
let lazyPrototype = null;

/**
 * Whether a socket is still what accepted-socket.js describes.
 *
 * @param {any} socket any Duplex
 * @returns {boolean}
 */
function isLazy(socket) {
  return Object.getPrototypeOf(socket) === lazyPrototype && LazySocketClass.isOne(socket);
}

/**
 * Gives a held connection away, to a WebSocket.
 *
 * @param {any} socket which is untouched
 * @param {any} transport
 */
function takeUpgrade(socket, transport) {
  return LazySocketClass.take(socket, transport);
}

/**
 * Makes a net.Socket of it, in place.
 *
 * @param {any} socket which is untouched
 * @returns {any} the same
 */
function materialize(socket) {
  const { flags, failure, held, listenHandle, peername, transport } =
    LazySocketClass.stateOf(socket);
  Object.setPrototypeOf(socket, net.Socket.prototype);

  // One descriptor for both: Node gets that of the connection, which goes on using it.
  const fd = held ? listenHandle.listener.release(held.number) : transport.connection.descriptor();
  /** @type {any} it is a function, and was made to be called so */
  const Socket = net.Socket;
  const descriptor = fd === -1 ? {} : { fd };
  Socket.call(socket, { ...descriptor, allowHalfOpen: true, manualStart: !held });
  if (!held && fd !== -1) {
    transport.connection.lend();
    guard(socket._handle, transport);
  }
  socket.server = listenHandle.server;
  socket._server = listenHandle.server;
  socket.parser = null;
  // Of its own, as on each socket of an HTTP server.
  socket.setEncoding = lazyPrototype.setEncoding;
  socket._paused = false;
  if (peername) socket._peername = peername;
  node.setNoDelay.call(socket, true);
  if (held) {
    if (held.errorListener !== null) node.on.call(socket, 'error', held.errorListener);
    if (socket[kWebSocket]) events.watchSocket(socket[kWebSocket], socket);
    // Past a write() of the program's own: the bytes have come through it.
    if (held.response !== '') node.write.call(socket, held.response);
    return socket;
  }

  node.setTimeout.call(socket, 0);
  events.watchSocket(socket[kWebSocket], socket, (flags & CLOSED) !== 0);
  // It has flown from the beginning.
  socket.readableFlowing = true;
  if ((flags & DESTROYED) !== 0) markDestroyed(socket, flags, failure);
  markDetached(socket, transport);
  if ((flags & DESTROYED) === 0) goOn(socket, flags);
  return socket;
}

/**
 * Node would have come this far with a socket that is being destroyed.
 *
 * @param {any} socket
 * @param {number} flags
 * @param {Error | undefined} failure
 */
function markDestroyed(socket, flags, failure) {
  socket._handle?.close();
  socket._handle = null;
  socket._hadError = failure !== undefined;
  for (const state of [socket._readableState, socket._writableState]) {
    state.destroyed = true;
    state.errored = failure ?? null;
    state.closed = true;
    state.closeEmitted = (flags & CLOSED) !== 0;
  }
  if ((flags & INPUT_OVER) !== 0) {
    socket._readableState.ended = true;
    socket._readableState.endEmitted = true;
  }
  if ((flags & ENDING) !== 0) {
    socket._writableState.ending = true;
    socket._writableState.ended = true;
  }
  if ((flags & FINISHED) !== 0) socket._writableState.finished = true;
}

/**
 * Goes on where it was.
 *
 * @param {any} socket parked
 * @param {number} flags
 */
function goOn(socket, flags) {
  if ((flags & INPUT_OVER) !== 0) {
    socket._readableState.ended = true;
    socket._readableState.endEmitted = true;
  } else if ((flags & PEER_ENDED) !== 0) {
    socket._nativeEnd();
  }
  if ((flags & ENDING) !== 0) socket.end();
}

/**
 * Gives the prototype of a class whatever else a net.Socket has or does: it touches. The properties of instances are
 * looked up on one, because they differ from one Node to the next.
 *
 * @param {typeof import('./lazy-socket').LazySocket} LazySocket
 */
function defineLazyMembers(LazySocket) {
  LazySocketClass = LazySocket;
  lazyPrototype = LazySocket.prototype;
  Object.setPrototypeOf(lazyPrototype, net.Socket.prototype);
  Object.defineProperty(lazyPrototype, 'constructor', { value: net.Socket });
  for (const name of Reflect.ownKeys(lazyPrototype)) {
    // On the socket of an HTTP server this one refuses in every state.
    if (name !== 'constructor' && name !== 'setEncoding') look(lazyPrototype, name);
  }
  /** @type {any} */
  let source = new net.Socket();
  // Up to the end of the chain, not by comparing with Object.prototype: this file may run in another realm than Node.
  while (Object.getPrototypeOf(source) !== null) {
    for (const name of Reflect.ownKeys(source)) {
      if (!Object.hasOwn(lazyPrototype, name)) {
        Object.defineProperty(lazyPrototype, name, touching(source, name));
      }
    }
    source = Object.getPrototypeOf(source);
  }
  setLazyMembers(lazyPrototype);
}

/**
 * Touches, and calls a method of what the socket is then.
 *
 * @param {any} socket which is untouched
 * @param {string} name
 * @param {any[]} args
 */
function callMaterialized(socket, name, args) {
  materialize(socket);
  return call(socket, name, args);
}

/**
 * Has a member look first what the socket is: it may have been taken from an untouched one, and be called when that has been
 * touched, or on an object that inherits from one.
 *
 * @param {any} prototype
 * @param {string | symbol} name of a member of it
 */
function look(prototype, name) {
  const descriptor = /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(prototype, name)
  );
  const { get, set, value } = descriptor;
  if (typeof value === 'function') {
    descriptor.value = named(
      name,
      /** @this {any} @param {any[]} args */ function (...args) {
        return isLazy(this) ? value.apply(this, args) : call(this, name, args);
      }
    );
  }
  if (get) {
    descriptor.get = /** @this {any} */ function () {
      return isLazy(this) ? get.call(this) : read(this, name);
    };
    descriptor.set = /** @this {any} @param {any} to */ function (to) {
      if (isLazy(this) && set) set.call(this, to);
      else write(this, name, to);
    };
  }
  Object.defineProperty(prototype, name, descriptor);
}

/**
 * @param {object} source
 * @param {string | symbol} name of a property of it
 * @returns {PropertyDescriptor} that of a property which makes a real socket first
 */
function touching(source, name) {
  const method = Object.getOwnPropertyDescriptor(source, name)?.value;
  if (typeof method === 'function') {
    /** @this {any} @param {any[]} args */
    const value = function (...args) {
      if (isLazy(this)) materialize(this);
      return call(this, name, args);
    };
    return { configurable: true, value: named(name, value), writable: true };
  }
  return {
    configurable: true,
    get() {
      if (isLazy(this)) materialize(this);
      return read(this, name);
    },
    set(value) {
      if (isLazy(this)) materialize(this);
      write(this, name, value);
    }
  };
}

/**
 * @param {string | symbol} name
 * @param {Function} method
 */
function named(name, method) {
  return Object.defineProperty(method, 'name', { configurable: true, value: String(name) });
}

/**
 * Calls a method that was taken from an untouched socket: that of the prototype which the socket has now. A method of the
 * program's own is not asked: it may be just what calls this one.
 *
 * @param {any} socket any object
 * @param {string | symbol} name
 * @param {any[]} args
 */
function call(socket, name, args) {
  return Reflect.get(prototypeOf(socket), name).apply(socket, args);
}

/**
 * @param {any} socket any object
 * @param {string | symbol} name
 */
function read(socket, name) {
  const prototype = prototypeOf(socket);
  return isOwn(socket, name) ? socket[name] : Reflect.get(prototype, name, socket);
}

/**
 * @param {any} socket any object
 * @param {string | symbol} name
 * @param {any} value
 */
function write(socket, name, value) {
  const prototype = prototypeOf(socket);
  if (isOwn(socket, name)) {
    socket[name] = value;
  } else if (name in prototype) {
    Reflect.set(prototype, name, value, socket);
  } else {
    Object.defineProperty(socket, name, {
      configurable: true,
      enumerable: true,
      value,
      writable: true
    });
  }
}

/**
 * The prototype whose members are those of a socket now. One that another object inherits from is touched.
 *
 * @param {any} socket any object that has, or had, members of an untouched socket
 * @returns {any}
 */
function prototypeOf(socket) {
  let object = socket;
  while (object !== null && !isLazy(object)) object = Object.getPrototypeOf(object);
  if (object !== null) materialize(object);
  return socket[kTransport] ? DetachedSocket.prototype : net.Socket.prototype;
}

/**
 * Whether a property is a socket's own, or that of one that it inherits from.
 *
 * @param {any} socket any object
 * @param {string | symbol} name
 */
function isOwn(socket, name) {
  let object = socket;
  while (object !== null && object !== lazyPrototype && object !== net.Socket.prototype) {
    if (Object.hasOwn(object, name)) return object !== DetachedSocket.prototype;
    object = Object.getPrototypeOf(object);
  }
  return false;
}

module.exports = { callMaterialized, isLazy, takeUpgrade, defineLazyMembers, materialize };
