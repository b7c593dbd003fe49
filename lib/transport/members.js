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
    !wasPatched &&
    node.write === write &&
    node.cork === cork &&
    node.uncork === uncork &&
    node._write === _write &&
    node._writev === _writev &&
    node._writeGeneric === _writeGeneric &&
    node._final === _final &&
    node.push === push &&
    node.emit === emit &&
    node.read === read &&
    node._read === _read &&
    node.unshift === unshift
  );
}

/**
 * Whether a socket has the members that bytes go through from its prototype. Asked for each message: lookups only, no list.
 *
 * @param {any} socket parked, or an AcceptedSocket
 */
function isUnpatched(socket) {
  const made = Object.getPrototypeOf(socket);
  return (
    socket.write === made.write &&
    socket.cork === made.cork &&
    socket.uncork === made.uncork &&
    socket._write === made._write &&
    socket._writev === made._writev &&
    socket._final === made._final &&
    socket.push === made.push &&
    socket.emit === made.emit &&
    socket.read === made.read &&
    isNodeUnpatched()
  );
}

/**
 * Whether a socket has a method of its own in the place of one of net.Socket.
 *
 * @param {any} socket a net.Socket, or an AcceptedSocket
 */
function hasOwnMethods(socket) {
  return METHODS.some((name) => Object.hasOwn(socket, name) && !OWN_BY_HTTP.has(name));
}

module.exports = { hasOwnMethods, isNodeUnpatched, isUnpatched };
