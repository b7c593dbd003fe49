'use strict';

/*
 * What `process._getActiveHandles()` and `process.getActiveResourcesInfo()` say of accepted connections. Programs end what they find
 * there when they shut down, and count it. Node lists its own handles: the listening one is among them, and so is that of every
 * net.Socket, but an accepted connection that no program has used has none. These are added when the functions are called, which costs the
 * connections nothing. listen-handle.js calls it.
 */

const { isLazy } = require('../socket/lazy-socket');
const { listOwners } = require('../native');

/** @typedef {InstanceType<typeof import('./listen-handle').ListenHandle>} ListenHandle */

/** Key of the list of sources, on a function that has been wrapped. Copies of this module in one process share it. */
const kSources = Symbol.for('ferrows.activeHandles');

/** Those that listen. @type {Set<ListenHandle>} */
const listening = new Set();

/** @returns {import('net').Socket[]} accepted connections without a handle of Node's that keep the process alive */
function listSockets() {
  /** @type {Set<any>} */
  const sockets = new Set();
  for (const handle of listening) for (const socket of handle.waiting) sockets.add(socket);
  for (const owner of listOwners()) {
    const { isReferenced, socket } = /** @type {any} */ (owner);
    if (isReferenced) sockets.add(socket);
  }
  return [...sockets].filter((socket) => socket && isLazy(socket) && !socket.destroyed);
}

/** @param {import('net').Socket} socket @returns {string} the name that Node has for its handle */
function resourceOf(socket) {
  return socket.localAddress === undefined ? 'PipeWrap' : 'TCPSocketWrap';
}

/** What each function of `process` gives in addition. @type {Record<string, () => unknown[]>} */
const ADDITIONS = {
  _getActiveHandles: listSockets,
  getActiveResourcesInfo: () => listSockets().map(resourceOf)
};

/** @param {ListenHandle} handle which listens, or does no longer */
function showConnections(handle) {
  if (handle.isClosed) {
    listening.delete(handle);
    return;
  }
  listening.add(handle);
  for (const [name, source] of Object.entries(ADDITIONS)) add(name, source);
}

/**
 * @param {string} name of a function of `process` that returns an array
 * @param {() => unknown[]} source
 */
function add(name, source) {
  const descriptor = Object.getOwnPropertyDescriptor(process, name);
  /** @type {any} */
  const original = descriptor?.value;
  if (typeof original !== 'function') return;
  /** @type {Set<WeakRef<() => unknown[]>> | undefined} weak: a copy of this module may be unloaded, in a Jest worker */
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

module.exports = { showConnections };
