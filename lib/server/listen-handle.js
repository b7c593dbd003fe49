'use strict';

/*
 * A listening socket of the addon. The handle is Node's, bound by Node, and stays responsible for addresses, flags, errors, path
 * permissions, async_hooks and transfer to other processes. Only its `listen()` is replaced: the addon accepts on a duplicate of
 * the descriptor, and libuv never polls the handle. upgrade.js receives the connections; http-server.js creates the handle.
 */

const http = require('http');

const { trackHandle } = require('./active-handles');
const { fallBack, onConnection, shouldFallBack, watchSockets } = require('./upgrade');
const { AsyncContext } = require('../node/async-context');
const { createListener } = require('../native');
const { clearInterval, nextTick, setInterval } = require('../node/schedule');

/** Milliseconds: no timeout, as the addon takes it. */
const NO_TIMEOUT = 0xffffffff;

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

  /** Hands connections that have not sent anything to Node. */
  passSilent() {
    for (const number of this.listener.silent()) {
      fallBack(this, number, undefined, 0);
    }
  }

  /** Stops listening. Pending connections are handed to Node, as it keeps those of a closed server. */
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    watchSockets(this);
    trackHandle(this);
    // fallBack() subtracts each of them: until then the server must not consider itself drained.
    this.server._connections += this.listener.close(true);
  }
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
