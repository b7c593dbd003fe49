'use strict';

/*
 * What a ListeningServer has in the place of a handle of libuv: the listening socket of the addon, with the methods that
 * net.Server calls. What arrives goes to arriving.js.
 */

const http = require('http');

const { arrived, putAside, takesAll, watchWaiting } = require('./arriving');
const { createListener } = require('../native');
const { clearInterval, setInterval } = require('../schedule');

/** As net.Server says it. */
const BACKLOG = 511;

class ListenHandle {
  /** @param {any} server a ListeningServer */
  constructor(server) {
    this.server = server;
    this.listener = createListener();
    /** The number of the error for which it does not listen. */
    this.errno = 0;
    this.isReferenced = true;
    /**
     * Set by net.Server: takes a handle of libuv that was accepted.
     *
     * @type {((error: number, handle: object) => void) | null}
     */
    this.onconnection = null;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    /**
     * Sockets of clients that somebody is verifying, and when that takes too long; see arriving.js.
     *
     * @type {Set<object>}
     */
    this.waiting = new Set();
    /** @type {NodeJS.Timeout | undefined} */
    this.patience = undefined;
  }

  /**
   * Binds and listens. Whether that has failed is what listen() says.
   *
   * @param {string | null | undefined} address IP address or path; nothing: all addresses
   * @param {number} port
   * @param {number} addressType 4, 6; -1: a path
   * @param {number | undefined} backlog
   * @param {number} flags of libuv
   * @returns {string} the address that it listens on, or can't
   */
  open(address, port, addressType, backlog, flags) {
    const { listener, server } = this;
    const failure = listener.listen(
      {
        ...(addressType === -1 ? { path: address ?? '' } : { address: address || undefined, port }),
        ipv6Only: (flags & 1) !== 0,
        backlog: backlog || BACKLOG,
        maxHeaderSize: server.maxHeaderSize ?? http.maxHeaderSize
      },
      this,
      arrived,
      takesAll
    );
    // A handle of a pipe has none: net.Server then tells the path.
    if (addressType === -1) Object.defineProperty(this, 'getsockname', { value: undefined });
    if (failure !== null) {
      this.errno = failure.errno;
      return failure.address ?? /** @type {string} */ (address);
    }
    const check = () => {
      listener.check(Math.min(limitOf(server.headersTimeout), limitOf(server.requestTimeout)));
    };
    this.timer = setInterval(check, server.connectionsCheckingInterval ?? 30000).unref();
    return address || /** @type {{ address: string }} */ (listener.address()).address;
  }

  /** Closes those that have not said what they want. */
  closePending() {
    this.listener.closePending();
  }

  /** Has Node accept those that have not sent anything: whether they are idle is its to say, and differs by its version. */
  giveSilent() {
    for (const number of this.listener.silent()) putAside(this, number, undefined, 0);
  }

  /** @returns {number} 0, or an error of libuv */
  listen() {
    return this.errno;
  }

  /**
   * @param {{ address?: string, family?: string, port?: number }} out
   * @returns {number} 0
   */
  getsockname(out) {
    const address = this.listener.address();
    // In the order of Node.
    if (address !== null)
      Object.assign(out, { address: address.address, family: address.family, port: address.port });
    return 0;
  }

  ref() {
    this.isReferenced = true;
    this.listener.ref();
  }

  unref() {
    this.isReferenced = false;
    this.listener.unref();
  }

  hasRef() {
    return this.isReferenced;
  }

  /** Listens no longer. Who has not said what he wants is Node's now, as with a server that is closed. */
  close() {
    clearInterval(this.timer);
    watchWaiting(this);
    // The server must not take itself for drained before Node has them.
    this.server._connections += this.listener.close(true);
  }
}

/** @param {number} milliseconds of a server's timeouts; 0: none */
function limitOf(milliseconds) {
  return milliseconds > 0 ? milliseconds : 0xffffffff;
}

module.exports = { ListenHandle };
