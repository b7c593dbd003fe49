'use strict';

/*
 * A listening socket of the addon. The handle is Node's, bound by Node, and stays responsible for addresses, flags, errors, path
 * permissions, async_hooks and transfer to other processes. Its `listen()` is replaced, and `ref`, `unref`, `close` and `reset` are
 * wrapped: the addon accepts on a duplicate of the descriptor, and libuv never polls the handle. upgrade.js receives the
 * connections; http-server.js creates the handle.
 */

const http = require('http');

const { trackHandle } = require('./active-handles');
const { fallBack, onConnection, shouldFallBack, watchSockets } = require('./upgrade');
const { AsyncContext } = require('../node/async-context');
const { createListener } = require('../native');
const { Reason } = require('./node-responses');
const {
  clearInterval,
  clearTimeout,
  nextTick,
  setInterval,
  setTimeout
} = require('../node/schedule');

/** Milliseconds: no timeout, as the addon takes it. */
const NO_TIMEOUT = 0xffffffff;

/**
 * A connection that the addon has answered.
 *
 * @typedef {Object} Kept
 * @property {number} read bytes until now
 * @property {number} written
 * @property {number} silence milliseconds after which it is closed
 */

class ListenHandle {
  /**
   * @param {import('./http-server').AnyServer} server
   * @param {import('./http-server').Snapshot} snapshot
   * @param {any} handle TCP or Pipe handle of Node, bound
   */
  constructor(server, snapshot, handle) {
    this.server = server;
    this.snapshot = snapshot;
    this.handle = handle;
    this.listener = createListener();
    /** The async context of the code that called listen(). */
    this.scope = new AsyncContext('WEBSOCKETSERVER');
    /** Maximum size of a request head, in bytes, that the addon applies. */
    this.maxHeaderSize = server.maxHeaderSize;
    /** Set by net.Server on the handle: the callback for accepted handles. @type {unknown} */
    this.onconnection = undefined;
    /** Key under which the handle has its server. @type {symbol | undefined} */
    this.owner = undefined;
    this.isClosed = true;
    /** Checks for late requests. @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    /** Sockets whose `verifyClient` is pending, not watched by Node yet; see upgrade.js. @type {Set<object>} */
    this.unwatched = new Set();
    /** Calls watchSockets(). @type {NodeJS.Timeout | undefined} */
    this.watchTimer = undefined;
    /** Responses that the addon sends; null: none with this Node. @type {any} */
    this.responses = undefined;
    /** Connections that have been answered and may send more, and some that are closed, by number. @type {Map<number, Kept>} */
    this.kept = new Map();
    /** Calls closeKept(). @type {NodeJS.Timeout | undefined} */
    this.keptTimer = undefined;
    this.replaceMethods();
  }

  /** Defines own, non-enumerable methods on Node's handle. */
  replaceMethods() {
    const { handle, listener } = this;
    const prototype = Object.getPrototypeOf(handle);
    /** @type {Record<string, (() => void) | null>} action before the original method; null: `listen` replaces it */
    const before = {
      listen: null,
      ref: () => listener.ref(),
      unref: () => listener.unref(),
      close: () => this.close(),
      reset: () => this.close()
    };
    for (const [name, act] of Object.entries(before)) {
      if (typeof prototype[name] !== 'function') continue;
      /** @type {(...args: any[]) => any} */
      const value =
        act === null
          ? (backlog) => this.listen(backlog)
          : (...args) => {
              act();
              return Reflect.apply(prototype[name], handle, args);
            };
      Object.defineProperty(handle, name, { configurable: true, value, writable: true });
    }
  }

  /** @param {number} backlog @returns {number} 0, or a negative error number of libuv */
  listen(backlog) {
    const { fd } = this.handle;
    const maxHeaderSize = this.maxHeaderSize || http.maxHeaderSize;
    const options = { fd, backlog, maxHeaderSize };
    const error = this.listener.listen(options, this, onConnection, shouldFallBack);
    if (error === 0) this.isClosed = false;
    return error;
  }

  /** Completes listen(), once net.Server has set up the handle. */
  start() {
    if (this.isClosed) return;
    const { handle, server } = this;
    this.onconnection = handle.onconnection;
    this.owner = Object.getOwnPropertySymbols(handle).find((symbol) => handle[symbol] === server);
    trackHandle(this);
    // In the tick after 'listening', as Node starts its interval.
    nextTick(startChecking, this);
  }

  /** Closes connections that have been answered, and hands those that have not sent anything to Node. */
  passSilent() {
    this.listener.closeKept(0);
    for (const number of this.listener.silent()) {
      fallBack(this, number, undefined, Reason.OTHER);
    }
  }

  /**
   * Counts a response to a connection that may send another request, and closes it after a silence.
   *
   * @param {number} number
   * @param {boolean} isFirst
   * @param {number} read bytes of the request
   * @param {number} written bytes of the response
   * @param {number} silence milliseconds
   */
  keep(number, isFirst, read, written, silence) {
    const before = isFirst ? undefined : this.kept.get(number);
    this.kept.set(number, {
      read: read + (before?.read ?? 0),
      written: written + (before?.written ?? 0),
      silence
    });
    this.keptTimer ??= setTimeout(closeKept, silence, this, silence).unref();
  }

  /** @param {number} number @returns {Kept | undefined} */
  takeKept(number) {
    const kept = this.kept.get(number);
    this.kept.delete(number);
    return kept;
  }

  /** Stops listening. Pending connections are handed to Node, as it keeps those of a closed server. */
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    clearTimeout(this.keptTimer);
    watchSockets(this);
    trackHandle(this);
    // fallBack() subtracts each of them: until then the server must not consider itself drained.
    this.server._connections += this.listener.close(true);
  }
}

/**
 * Closes connections that have been silent since their last response.
 *
 * @param {ListenHandle} handle
 * @param {number} silence milliseconds
 */
function closeKept(handle, silence) {
  const left = handle.listener.closeKept(silence);
  if (left === null) handle.kept.clear();
  handle.keptTimer =
    left === null ? undefined : setTimeout(closeKept, left, handle, silence).unref();
}

/**
 * Checks for late requests at the interval of the server, as Node does. The timeouts are read at each check.
 *
 * @param {ListenHandle} handle
 */
function startChecking(handle) {
  if (handle.isClosed) return;
  const { listener, server } = handle;
  const check = () => {
    listener.check(Math.min(toTimeout(server.headersTimeout), toTimeout(server.requestTimeout)));
  };
  handle.timer = setInterval(check, server.connectionsCheckingInterval).unref();
}

/** @param {number} value timeout of a server in milliseconds; anything but a finite positive number disables it */
function toTimeout(value) {
  return Number.isFinite(value) && value > 0 ? Math.min(value, NO_TIMEOUT) : NO_TIMEOUT;
}

module.exports = { ListenHandle };
