'use strict';

/*
 * Adds accepted connections to `process._getActiveHandles()` and `process.getActiveResourcesInfo()`, which programs read to end
 * or count what keeps them alive. Node lists its own handles: the listening one, and those of net.Sockets. A lazy socket has
 * none, so it is added when one of the functions is called, at no cost before; a connection that waits for a request becomes a
 * net.Socket then. Only listen-handle.js calls this file.
 */

const { isLazy } = require('../socket/lazy-socket');
const { listOwners } = require('../native');

/** @typedef {InstanceType<typeof import('./listen-handle').ListenHandle>} ListenHandle */

/** Key of the set of sources on a wrapped function, shared by all copies of this module in the process. */
const kSources = Symbol.for('ferrows.activeHandles');

/** Open listening sockets. @type {Set<ListenHandle>} */
const listening = new Set();

/** @returns {import('net').Socket[]} lazy sockets that keep the process alive */
function listSockets() {
  /** @type {Set<any>} */
  const sockets = new Set();
  for (const handle of listening) {
    // Node lists those that become net.Sockets: it is called after this.
    handle.passWaiting();
    for (const socket of handle.unwatched) sockets.add(socket);
  }
  for (const owner of listOwners()) {
    const { isReferenced, socket } = /** @type {any} */ (owner);
    if (isReferenced) sockets.add(socket);
  }
  return [...sockets].filter((socket) => socket && isLazy(socket) && !socket.destroyed);
}

/** @param {import('net').Socket} socket @returns {string} the name of its handle in Node */
function resourceOf(socket) {
  return socket.localAddress === undefined ? 'PipeWrap' : 'TCPSocketWrap';
}

/** Additional results of functions of `process`, by name. @type {Record<string, () => unknown[]>} */
const ADDITIONS = {
  _getActiveHandles: listSockets,
  getActiveResourcesInfo: () => listSockets().map(resourceOf)
};

/** Starts or stops listing the connections of a listening socket. @param {ListenHandle} handle */
function trackHandle(handle) {
  if (handle.isClosed) {
    listening.delete(handle);
    return;
  }
  listening.add(handle);
  for (const [name, source] of Object.entries(ADDITIONS)) wrap(name, source);
}

/**
 * Makes a function of `process` that returns an array append the result of `source`.
 *
 * @param {string} name
 * @param {() => unknown[]} source
 */
function wrap(name, source) {
  const descriptor = Object.getOwnPropertyDescriptor(process, name);
  /** @type {any} */
  const original = descriptor?.value;
  if (typeof original !== 'function') return;
  /** @type {Set<WeakRef<() => unknown[]>> | undefined} weak: a Jest worker unloads copies of this module */
  const sources = original[kSources];
  if (sources !== undefined) {
    for (const reference of sources) {
      const known = reference.deref();
      if (known === source) return;
      if (known === undefined) sources.delete(reference);
    }
    sources.add(new WeakRef(source));
    return;
  }
  const added = new Set([new WeakRef(source)]);
  /** @type {any} */
  const wrapped = {
    /** @this {unknown} @param {unknown[]} args */
    [name](...args) {
      const more = [...added].flatMap((reference) => reference.deref()?.() ?? []);
      return [...Reflect.apply(original, this, args), ...more];
    }
  }[name];
  Object.defineProperty(wrapped, kSources, { value: added });
  Reflect.defineProperty(process, name, { ...descriptor, value: wrapped });
}

module.exports = { trackHandle };
