'use strict';

/*
 * Turns a lazy socket into a net.Socket in place, on first use of any member that it lacks: with a handle of Node that owns the
 * descriptor, in the state that a net.Socket would have reached, detached if a WebSocket has adopted it. Defines those members
 * on the prototype of LazySocket. Its methods may be taken from a socket before that and called afterwards.
 * Called by the getters that it defines, by transport/index.js and by stream-fallback.js.
 */

const net = require('net');

const events = require('../connection/websocket-events');
const { kTransport, kWebSocket } = require('../constants');
const { defineVisible } = require('../node/define');
const { guard, setCounter } = require('./handle-guard');
const { SocketFlag } = require('./socket-states');
const { DetachedSocket, markDetached } = require('./detached-socket');
const { setLazyMembers } = require('./replaced-members');

/** @type {any} Node's members, bypassing those that a program has defined on the socket */
const node = net.Socket.prototype;

const { CLOSED, DESTROYED, ENDING, FINISHED, INPUT_ENDED, PEER_ENDED } = SocketFlag;

/**
 * Set by defineLazyMembers(): lazy-socket.js requires this file.
 *
 * @type {typeof import('./lazy-socket').LazySocket}
 */
let LazySocket;

/** @type {any} */
let lazyPrototype = null;

/**
 * The own properties of a materialized socket without their values, in order: those of a net.Socket, then those of an HTTP server.
 *
 * @type {PropertyDescriptorMap}
 */
let ownProperties = {};

/**
 * @param {any} socket any Duplex
 * @returns {boolean} true if it is a LazySocket that has not been materialized
 */
function isLazy(socket) {
  return Object.getPrototypeOf(socket) === lazyPrototype && LazySocket.isInstance(socket);
}

/**
 * Makes a lazy socket a net.Socket, in place.
 *
 * @param {any} socket lazy
 * @returns {any} the same object
 */
function materialize(socket) {
  const { failure, flags, listenHandle, peername, transport, upgrade } = LazySocket.stateOf(socket);
  // In this order: V8 gives each socket a hidden class of its own if properties are added behind the change of the prototype.
  Object.defineProperties(socket, ownProperties);
  if (!upgrade) Object.defineProperties(socket, ADOPTED_PROPERTIES);
  Object.setPrototypeOf(socket, net.Socket.prototype);

  // An open connection and the handle share one descriptor, which the handle owns from now on.
  const fd = upgrade
    ? listenHandle.listener.release(upgrade.number)
    : transport.connection.descriptor();
  /** @type {any} a constructor function that may be called on an existing object */
  const Socket = net.Socket;
  const descriptor = fd === -1 ? {} : { fd };
  Socket.call(socket, { ...descriptor, allowHalfOpen: true, manualStart: !upgrade });
  if (!upgrade && fd !== -1) {
    transport.connection.lend();
    guard(socket._handle, transport);
  }
  socket.server = listenHandle.server;
  socket._server = listenHandle.server;
  socket.parser = null;
  // An own property, as Node's HTTP server defines it.
  socket.setEncoding = lazyPrototype.setEncoding;
  socket._paused = false;
  if (peername) socket._peername = peername;
  node.setNoDelay.call(socket, true);
  if (upgrade) {
    if (upgrade.errorListener !== null) node.on.call(socket, 'error', upgrade.errorListener);
    if (socket[kWebSocket]) events.watchSocket(socket[kWebSocket], socket);
    if ((flags & ENDING) !== 0) {
      continueRefusal(socket, flags, upgrade);
      return socket;
    }
    // Not through a write() that a program has defined on the socket: that one has passed these bytes.
    if (upgrade.response !== '') node.write.call(socket, upgrade.response);
    return socket;
  }

  node.setTimeout.call(socket, 0);
  events.watchSocket(socket[kWebSocket], socket, (flags & CLOSED) !== 0);
  // It has been flowing since it was accepted.
  socket.readableFlowing = true;
  if ((flags & DESTROYED) !== 0) setDestroyed(socket, flags, failure);
  markDetached(socket, transport);
  if ((flags & DESTROYED) === 0) continueEnd(socket, flags);
  return socket;
}

/**
 * Continues the end of a socket whose upgrade was refused.
 *
 * @param {any} socket
 * @param {number} flags
 * @param {import('./lazy-socket').PendingUpgrade} upgrade
 */
function continueRefusal(socket, flags, { bytesRead, refusal }) {
  if ((flags & DESTROYED) !== 0) {
    setDestroyed(socket, flags, undefined);
    return;
  }
  setCounter(socket._handle, 'bytesRead', bytesRead);
  setCounter(socket._handle, 'bytesWritten', refusal?.written ?? 0);
  node.once.call(socket, 'finish', () => socket.destroy());
  node.end.call(socket, refusal?.unsent.length ? refusal.unsent : undefined);
}

/**
 * Sets the stream state of a destroyed net.Socket.
 *
 * @param {any} socket
 * @param {number} flags
 * @param {Error | undefined} failure
 */
function setDestroyed(socket, flags, failure) {
  socket._handle?.close();
  socket._handle = null;
  socket._hadError = failure !== undefined;
  for (const state of [socket._readableState, socket._writableState]) {
    state.destroyed = true;
    state.errored = failure ?? null;
    state.closed = true;
    state.closeEmitted = (flags & CLOSED) !== 0;
  }
  if ((flags & INPUT_ENDED) !== 0) setInputEnded(socket);
  if ((flags & ENDING) !== 0) {
    socket._writableState.ending = true;
    socket._writableState.ended = true;
  }
  if ((flags & FINISHED) !== 0) socket._writableState.finished = true;
}

/**
 * Continues the end of the stream in either direction.
 *
 * @param {any} socket detached
 * @param {number} flags
 */
function continueEnd(socket, flags) {
  if ((flags & INPUT_ENDED) !== 0) setInputEnded(socket);
  else if ((flags & PEER_ENDED) !== 0) socket._nativeEnd();
  if ((flags & ENDING) !== 0) socket.end();
}

/** @param {any} socket */
function setInputEnded(socket) {
  socket._readableState.ended = true;
  socket._readableState.endEmitted = true;
}

/**
 * Completes the prototype of LazySocket: members that the class lacks materialize. Called once, by lazy-socket.js.
 *
 * @param {typeof import('./lazy-socket').LazySocket} Class
 */
function defineLazyMembers(Class) {
  LazySocket = Class;
  lazyPrototype = Class.prototype;
  Object.setPrototypeOf(lazyPrototype, net.Socket.prototype);
  Object.defineProperty(lazyPrototype, 'constructor', { value: net.Socket });
  for (const name of Reflect.ownKeys(lazyPrototype)) {
    // setEncoding() throws in every state, as on the sockets of an HTTP server.
    if (name !== 'constructor' && name !== 'setEncoding') redefine(lazyPrototype, name);
  }
  // The names are taken from an instance, because own properties differ between versions of Node.
  /** @type {any} */
  let source = new net.Socket();
  ownProperties = createOwnProperties(source);
  // Up to the end of the chain, not by comparing with Object.prototype: this file may run in another realm than Node.
  while (Object.getPrototypeOf(source) !== null) {
    for (const name of Reflect.ownKeys(source)) {
      if (!Object.hasOwn(lazyPrototype, name)) {
        Object.defineProperty(lazyPrototype, name, createMaterializing(source, name));
      }
    }
    source = Object.getPrototypeOf(source);
  }
  setLazyMembers(lazyPrototype);
}

/** Those that a WebSocket adds. */
const ADOPTED_PROPERTIES = { timeout: createProperty(true), [kTransport]: createProperty(false) };

/**
 * @param {any} socket a net.Socket
 * @returns {PropertyDescriptorMap}
 */
function createOwnProperties(socket) {
  const properties = Object.getOwnPropertyDescriptors(socket);
  for (const name of Reflect.ownKeys(properties)) {
    const { enumerable } = /** @type {any} */ (properties)[name];
    properties[/** @type {string} */ (name)] = createProperty(enumerable);
  }
  for (const name of ['server', '_server', 'parser', 'setEncoding', '_paused']) {
    delete properties[name];
    properties[name] = createProperty(true);
  }
  return properties;
}

/** @param {boolean | undefined} enumerable @returns {PropertyDescriptor} of a property without a value */
function createProperty(enumerable) {
  return { configurable: true, enumerable, value: undefined, writable: true };
}

/**
 * Makes a member of LazySocket check the kind of the socket per call: the method may have been taken from a lazy socket and be
 * called after that was materialized, or on an object that inherits from one.
 *
 * @param {any} prototype
 * @param {string | symbol} name of an own member
 */
function redefine(prototype, name) {
  const descriptor = /** @type {PropertyDescriptor} */ (
    Object.getOwnPropertyDescriptor(prototype, name)
  );
  const { get, set, value } = descriptor;
  if (typeof value === 'function') {
    descriptor.value = setName(
      name,
      /** @this {any} @param {any[]} args */ function (...args) {
        return isLazy(this) ? value.apply(this, args) : callCurrent(this, name, args);
      }
    );
  }
  if (get) {
    descriptor.get = /** @this {any} */ function () {
      return isLazy(this) ? get.call(this) : readCurrent(this, name);
    };
    descriptor.set = /** @this {any} @param {any} to */ function (to) {
      if (isLazy(this) && set) set.call(this, to);
      else writeCurrent(this, name, to);
    };
  }
  Object.defineProperty(prototype, name, descriptor);
}

/**
 * @param {object} source
 * @param {string | symbol} name of an own property of it
 * @returns {PropertyDescriptor} a property that materializes the socket and then does the same as that of `source`
 */
function createMaterializing(source, name) {
  const method = Object.getOwnPropertyDescriptor(source, name)?.value;
  if (typeof method === 'function') {
    /** @this {any} @param {any[]} args */
    const value = function (...args) {
      return callCurrent(this, name, args);
    };
    return { configurable: true, value: setName(name, value), writable: true };
  }
  return {
    configurable: true,
    get() {
      return readCurrent(this, name);
    },
    set(value) {
      writeCurrent(this, name, value);
    }
  };
}

/**
 * @param {string | symbol} name
 * @param {Function} method
 */
function setName(name, method) {
  return Object.defineProperty(method, 'name', { configurable: true, value: String(name) });
}

/**
 * Materializes, then calls the method of the current prototype. Not a method that a program has defined on the socket: that
 * one may be the caller.
 *
 * @param {any} socket any object that has, or had, members of a lazy socket
 * @param {string | symbol} name
 * @param {any[]} args
 */
function callCurrent(socket, name, args) {
  return Reflect.get(currentPrototype(socket), name).apply(socket, args);
}

/**
 * @param {any} socket
 * @param {string | symbol} name
 */
function readCurrent(socket, name) {
  const prototype = currentPrototype(socket);
  return isOwn(socket, name) ? socket[name] : Reflect.get(prototype, name, socket);
}

/**
 * @param {any} socket
 * @param {string | symbol} name
 * @param {any} value
 */
function writeCurrent(socket, name, value) {
  const prototype = currentPrototype(socket);
  if (isOwn(socket, name)) {
    socket[name] = value;
  } else if (name in prototype) {
    Reflect.set(prototype, name, value, socket);
  } else {
    defineVisible(socket, name, value);
  }
}

/**
 * Materializes the lazy socket that an object is or inherits from.
 *
 * @param {any} socket
 * @returns {any} the prototype whose members a socket has now
 */
function currentPrototype(socket) {
  let object = socket;
  while (object !== null && !isLazy(object)) object = Object.getPrototypeOf(object);
  if (object !== null) materialize(object);
  return socket[kTransport] ? DetachedSocket.prototype : net.Socket.prototype;
}

/**
 * True if a property belongs to a socket itself, or to a socket that it inherits from.
 *
 * @param {any} socket
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

module.exports = { callCurrent, defineLazyMembers, isLazy, materialize };
