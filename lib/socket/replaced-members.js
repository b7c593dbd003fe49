'use strict';

/*
 * The members of a socket that ws, or Node on its behalf, calls through the object. The addon may move the bytes of a socket only
 * while all of them are the originals: a program that has replaced one expects it to be called. Used by the transports.
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

/** What an instance has of its own while an HTTP server or client uses it, and what is restored or harmless afterwards. */
const OWN_BY_HTTP = new Set(['on', 'addListener', 'prependListener', 'setEncoding']);

/** Methods of a net.Socket, those that it inherits included. */
const METHODS = methodsOf(node);

/** Whether the members had been replaced before this module was loaded. */
const wasPatched =
  ['cork', 'end', 'uncork', 'write'].some((name) => isPatched(name, Writable.prototype)) ||
  ['push', 'read', 'unshift'].some((name) => isPatched(name, Readable.prototype)) ||
  isPatched('emit', EventEmitter.prototype);

/**
 * Whether net.Socket does not just inherit a method, or override it as Node does.
 *
 * @param {string} name
 * @param {any} origin where Node defines it
 */
function isPatched(name, origin) {
  return !['end', 'read'].includes(name) && node[name] !== origin[name];
}

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

/** Whether net.Socket.prototype has the members that bytes go through as Node has made them. */
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

/** The same for the members that a send calls. */
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
 * The members that bytes go through of the two prototypes whose bytes the addon moves, in plain objects: prototypes are slow to
 * read.
 *
 * @type {any}
 */
let lazyMembers = null;
/** @type {any} */
let detachedMembers = null;
/** @type {any} */
let detachedPrototype = null;

/** @param {any} prototype of untouched sockets */
function setLazyMembers(prototype) {
  lazyMembers = membersOf(prototype);
}

/** @param {any} prototype of parked sockets */
function setDetachedMembers(prototype) {
  detachedPrototype = prototype;
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
 * Whether a socket has the members that a send calls from its prototype. Asked for each message: lookups only, no list.
 *
 * @param {any} socket parked, or an LazySocket
 */
function isOutputUnpatched(socket) {
  return (
    isNodeOutputUnpatched() &&
    (Object.getPrototypeOf(socket) === detachedPrototype
      ? isDetachedOutputUnpatched(socket)
      : isLazyOutputUnpatched(socket))
  );
}

/**
 * Whether a socket has all members that bytes go through from its prototype. Asked for each delivery.
 *
 * @param {any} socket parked, or an LazySocket
 */
function isUnpatched(socket) {
  return (
    isNodeUnpatched() &&
    (Object.getPrototypeOf(socket) === detachedPrototype
      ? isDetachedUnpatched(socket)
      : isLazyUnpatched(socket))
  );
}

/*
 * Pairs of functions with the same body: each sees sockets of one shape, and its lookups stay fast.
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
    isDetachedOutputUnpatched(socket) &&
    socket._final === detachedMembers._final &&
    socket.push === detachedMembers.push &&
    socket.emit === detachedMembers.emit &&
    socket.read === detachedMembers.read
  );
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
 * Whether a socket has a method of its own in the place of one of net.Socket.
 *
 * @param {any} socket a net.Socket, or an LazySocket
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
