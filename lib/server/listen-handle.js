'use strict';

/*
 * A listening socket. The handle is one of Node's, bound by Node: addresses, flags, errors, permissions of a path, async_hooks,
 * sending it to another process and whatever else is asked of a handle are Node's. Only `listen()` is replaced: the addon accepts, on
 * a duplicate of the descriptor, and libuv never polls it. What arrives goes to arriving.js.
 */

const http = require('http');

const { showConnections } = require('./active-handles');
const { arrived, putAside, takesAll, watchWaiting } = require('./upgrade');
const { AsyncContext } = require('../node/async-context');
const { createListener } = require('../native');
const { clearInterval, nextTick, setInterval } = require('../node/schedule');

class ListenHandle {
  /**
   * @param {import('./http-server').AnyServer} server
   * @param {import('./http-server').Origin} origin
   * @param {any} handle of Node's, bound
   */
  constructor(server, origin, handle) {
    this.server = server;
    this.origin = origin;
    this.handle = handle;
    this.listener = createListener();
    /** The async context of the code that called listen(). */
    this.scope = new AsyncContext('WEBSOCKETSERVER');
    /** Limit of a head that the addon applies. */
    this.maxHeaderSize = server.maxHeaderSize;
    /** Set by net.Server on the handle: its function for accepted handles, and the key of the owner. @type {unknown} */
    this.onconnection = undefined;
    /** @type {symbol | undefined} */
    this.owner = undefined;
    /** Whether it has been closed, or has never listened. */
    this.isClosed = true;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    /**
     * Sockets of clients that are being verified, and the timer after which Node watches them; see arriving.js.
     *
     * @type {Set<object>}
     */
    this.waiting = new Set();
    /** @type {NodeJS.Timeout | undefined} */
    this.patience = undefined;
    this.replaceMethods();
  }

  /** Puts own methods on the handle of Node's, which programs that list its properties do not see. */
  replaceMethods() {
    const { handle, listener } = this;
    const prototype = Object.getPrototypeOf(handle);
    /** @type {Record<string, (() => void) | null>} what is done before Node's method, if anything is left to it */
    const before = {
      listen: null,
      ref: () => listener.ref(),
      unref: () => listener.unref(),
      close: () => this.end(),
      reset: () => this.end()
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

  /**
   * @param {number} backlog
   * @returns {number} 0, or an error of libuv
   */
  listen(backlog) {
    const { fd } = this.handle;
    const maxHeaderSize = this.maxHeaderSize || http.maxHeaderSize;
    const options = { fd, backlog, maxHeaderSize };
    const error = this.listener.listen(options, this, arrived, takesAll);
    if (error === 0) this.isClosed = false;
    return error;
  }

  /** The server has done all that there is to do, and perhaps listens. */
  started() {
    if (this.isClosed) return;
    const { handle, server } = this;
    this.onconnection = handle.onconnection;
    this.owner = Object.getOwnPropertySymbols(handle).find((symbol) => handle[symbol] === server);
    showConnections(this);
    // Behind 'listening', when Node starts its own interval.
    nextTick(startChecking, this);
  }

  /** Closes connections that have not said what they want. */
  closePending() {
    this.listener.closePending();
  }

  /** Passes connections that have not sent anything to Node. */
  giveSilent() {
    for (const number of this.listener.silent()) {
      putAside(this, number, undefined, 0);
    }
  }

  /** Stops listening. Connections that have not said what they want go to Node, as with a server that is closed. */
  end() {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    watchWaiting(this);
    showConnections(this);
    // Counted until Node has them, lest the server take itself for drained.
    this.server._connections += this.listener.close(true);
  }
}

/**
 * Looks for late connections at the interval of the server, as Node does.
 *
 * @param {ListenHandle} handle
 */
function startChecking(handle) {
  if (handle.isClosed) return;
  const { listener, server } = handle;
  const check = () => {
    listener.check(Math.min(limitOf(server.headersTimeout), limitOf(server.requestTimeout)));
  };
  handle.timer = setInterval(check, server.connectionsCheckingInterval).unref();
}

/** @param {number} milliseconds a time limit of a server; anything but a finite positive number: none */
function limitOf(milliseconds) {
  const isLimit = Number.isFinite(milliseconds) && milliseconds > 0;
  return isLimit ? Math.min(milliseconds, 0xffffffff) : 0xffffffff;
}

module.exports = { ListenHandle };
