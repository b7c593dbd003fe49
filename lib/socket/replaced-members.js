'use strict';

/*
 * Detects replaced members of a socket. ws, or Node on its behalf, calls these members through the object; the addon may move
 * the bytes of a socket only while all of them are the originals, because a program that has replaced one expects calls of it.
 * Used by the transports and the sockets.
 */

const net = require('net');
const { EventEmitter } = require('events');
const { Readable, Writable } = require('stream');

/** @type {any} */
const node = net.Socket.prototype;
const {
  _final,
  _read,
  _write,
  _writeGeneric,
  _writev,
  cork,
  emit,
  push,
  read,
  uncork,
  unshift,
  write
} = node;

/** Own methods that Node's HTTP server or client puts on a socket. They are removed later, or harmless. */
const OWN_BY_HTTP = new Set(['on', 'addListener', 'prependListener', 'setEncoding']);

/** Names of the methods of a net.Socket, inherited ones included. */
const METHODS = methodsOf(node);

/** True if a member that net.Socket inherits had been replaced before this module was loaded. */
const wasPatched =
  ['cork', 'uncork', 'write'].some(
    (name) => node[name] !== Reflect.get(Writable.prototype, name)
  ) ||
  ['push', 'unshift'].some((name) => node[name] !== Reflect.get(Readable.prototype, name)) ||
  emit !== EventEmitter.prototype.emit;

/**
 * @param {any} prototype
 * @returns {string[]}
 */
function methodsOf(prototype) {
  const names = new Set();
  for (
    let object = prototype;
    Object.getPrototypeOf(object) !== null;
    object = Object.getPrototypeOf(object)
  ) {
    for (const name of Object.getOwnPropertyNames(object)) {
      const { value } = /** @type {PropertyDescriptor} */ (
        Object.getOwnPropertyDescriptor(object, name)
      );
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return [...names];
}

/** True if the members of net.Socket.prototype that bytes pass through are those of Node. */
function isNodeUnpatched() {
  return (
    isNodeOutputUnpatched() &&
    node._final === _final &&
    node.push === push &&
    node.emit === emit &&
    node.read === read &&
    node._read === _read &&
    node.unshift === unshift
  );
}

/** True if those of them that a send calls are. */
function isNodeOutputUnpatched() {
  return (
    !wasPatched &&
    node.write === write &&
    node.cork === cork &&
    node.uncork === uncork &&
    node._write === _write &&
    node._writev === _writev &&
    node._writeGeneric === _writeGeneric
  );
}

/**
 * The original members of LazySocket and DetachedSocket that bytes pass through, in plain objects: reading prototypes is slow.
 *
 * @type {any}
 */
let lazyMembers = null;
/** @type {any} */
let detachedMembers = null;

/** @param {any} prototype of lazy sockets */
function setLazyMembers(prototype) {
  lazyMembers = membersOf(prototype);
}

/** @param {any} prototype of detached sockets */
function setDetachedMembers(prototype) {
  detachedMembers = membersOf(prototype);
}

/** @param {any} prototype */
function membersOf(prototype) {
  return {
    write: prototype.write,
    cork: prototype.cork,
    uncork: prototype.uncork,
    _write: prototype._write,
    _writev: prototype._writev,
    _final: prototype._final,
    push: prototype.push,
    emit: prototype.emit,
    read: prototype.read
  };
}

/**
 * True if the members of a socket that a send calls are the originals. Called per message: property loads, no loop, and no query of
 * the prototype, which would be a call into the runtime.
 *
 * @param {any} socket lazy or detached
 */
function isOutputUnpatched(socket) {
  return (
    isNodeOutputUnpatched() &&
    (socket.write === lazyMembers.write
      ? isLazyOutputUnpatched(socket)
      : isDetachedOutputUnpatched(socket))
  );
}

/**
 * True if all members of a socket that bytes pass through are the originals. Called per delivery.
 *
 * @param {any} socket lazy or detached
 */
function isUnpatched(socket) {
  return (
    isNodeUnpatched() &&
    (socket.write === lazyMembers.write ? isLazyUnpatched(socket) : isDetachedUnpatched(socket))
  );
}

/*
 * Two functions with the same body per kind of socket: each one sees one hidden class, so that its inline caches stay
 * monomorphic.
 */

/** @param {any} socket */
function isDetachedOutputUnpatched(socket) {
  return (
    socket.write === detachedMembers.write &&
    socket.cork === detachedMembers.cork &&
    socket.uncork === detachedMembers.uncork &&
    socket._write === detachedMembers._write &&
    socket._writev === detachedMembers._writev
  );
}

/** @param {any} socket */
function isDetachedUnpatched(socket) {
  return (
    (isDetachedOutputUnpatched(socket) || isEndedByPeer(socket)) &&
    socket._final === detachedMembers._final &&
    socket.push === detachedMembers.push &&
    socket.emit === detachedMembers.emit &&
    socket.read === detachedMembers.read
  );
}

/**
 * True if the only replaced member that a send calls is the `write` that Node defines on a socket when the peer has ended. Only a
 * send needs a fallback then, for the error of that `write`.
 *
 * @param {any} socket detached
 */
function isEndedByPeer(socket) {
  return (
    socket.write === writeAfterEnd() &&
    socket.cork === detachedMembers.cork &&
    socket.uncork === detachedMembers.uncork &&
    socket._write === detachedMembers._write &&
    socket._writev === detachedMembers._writev
  );
}

/** @type {Function | undefined} */
let writeOfEnded;

/** @returns {Function} the `write` that Node defines on a socket without `allowHalfOpen` when the peer has ended */
function writeAfterEnd() {
  if (writeOfEnded === undefined) {
    const socket = new net.Socket();
    emit.call(socket, 'end');
    writeOfEnded = socket.write;
  }
  return writeOfEnded;
}

/** @param {any} socket */
function isLazyOutputUnpatched(socket) {
  return (
    socket.write === lazyMembers.write &&
    socket.cork === lazyMembers.cork &&
    socket.uncork === lazyMembers.uncork &&
    socket._write === lazyMembers._write &&
    socket._writev === lazyMembers._writev
  );
}

/** @param {any} socket */
function isLazyUnpatched(socket) {
  return (
    isLazyOutputUnpatched(socket) &&
    socket._final === lazyMembers._final &&
    socket.push === lazyMembers.push &&
    socket.emit === lazyMembers.emit &&
    socket.read === lazyMembers.read
  );
}

/**
 * True if a program has defined a method of net.Socket on the socket itself.
 *
 * @param {any} socket a lazy socket or a net.Socket
 */
function hasOwnMethods(socket) {
  return METHODS.some((name) => Object.hasOwn(socket, name) && !OWN_BY_HTTP.has(name));
}

module.exports = {
  hasOwnMethods,
  isNodeUnpatched,
  isOutputUnpatched,
  isUnpatched,
  setDetachedMembers,
  setLazyMembers
};
