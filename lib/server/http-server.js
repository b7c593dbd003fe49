'use strict';

/*
 * The http.Server of `new WebSocketServer({ port })`: one of Node's, made by `http.createServer()` as ws makes it, that listens
 * through the addon unless rule.js has a reason against it. Its handle, address, events and everything that is no plain request to
 * upgrade stay Node's. websocket-server.js creates it.
 */

const http = require('http');
const net = require('net');

const { ListenHandle } = require('./listen-handle');
const { reasonForNode } = require('./fallback');

/** @typedef {InstanceType<typeof ListenHandle>} Listening */
/** @typedef {http.Server & Record<string | symbol, any>} AnyServer members that the types lack */

/** Key of the {@link Origin} of a server that may listen through the addon. */
const kOrigin = Symbol('origin');

/**
 * The state of a server when it was created, which rule.js compares with.
 *
 * @typedef {Object} Origin
 * @property {string | undefined} transport option of the WebSocketServer
 * @property {unknown} connectionListener Node's listener for 'connection'
 * @property {unknown} shouldUpgrade Node's callback that decides about upgrades; not in every version
 * @property {new (socket: any) => any} IncomingMessage the class of its requests
 * @property {Listening | null} listening what it listens with, or did last; null: a handle that is all Node's
 */

/** @type {new (...args: any[]) => AnyServer} */
const Server = http.Server;

/** Never constructed: a server of Node's becomes one, so that `http.createServer()` is called however it is replaced. */
class ListeningServer extends Server {
  /**
   * The last step of listen(), which Node calls when it knows the address.
   *
   * @param {string | null | undefined} address IP address, path of a Unix socket, or nothing: all addresses
   * @param {number} port
   * @param {number} addressType 4, 6; -1: a path
   * @param {number | undefined} backlog
   * @param {number | undefined} fd
   * @param {number | undefined} flags of libuv
   */
  _listen2(address, port, addressType, backlog, fd, flags) {
    /** @type {Origin} */
    const origin = this[kOrigin];
    origin.listening = null;
    const hasHandle = Boolean(this._handle) || typeof fd === 'number';
    const reason = reasonForNode(this, origin, { hasHandle });
    const bound = reason === null ? bind(address, port, addressType, flags) : null;
    if (bound === null) {
      super._listen2(address, port, addressType, backlog, fd, flags);
      return;
    }
    const listening = new ListenHandle(this, origin, bound.handle);
    origin.listening = listening;
    this._handle = bound.handle;
    super._listen2(bound.address, port, bound.addressType, backlog, fd, flags);
    listening.started();
  }

  /** Counts connections that have not said what they want, too. @param {(error: Error | null, count: number) => void} callback */
  getConnections(callback) {
    // Node reads its own count within the call.
    const pending = current(this)?.listener.pendingCount() ?? 0;
    this._connections += pending;
    try {
      return super.getConnections(callback);
    } finally {
      this._connections -= pending;
    }
  }

  /** Closes connections that have not said what they want, too. */
  closeAllConnections() {
    current(this)?.closePending();
    super.closeAllConnections();
  }

  /** Also called by close(). Which connections are idle is Node's to say, and differs by its version. */
  closeIdleConnections() {
    current(this)?.giveSilent();
    super.closeIdleConnections();
  }
}

// Programs that print the server see the class that they know.
Object.defineProperty(ListeningServer.prototype, 'constructor', { value: http.Server });

/**
 * @param {(req: http.IncomingMessage, res: http.ServerResponse) => void} answer for plain requests
 * @param {string | undefined} transport option of the WebSocketServer
 * @returns {AnyServer} what `http.createServer()` returns
 */
function createServer(answer, transport) {
  /** @type {AnyServer} */
  const server = http.createServer(answer);
  const isNodes = server && Object.getPrototypeOf(server) === http.Server.prototype;
  if (!isNodes || server.listening) return server;
  const messages = Object.getOwnPropertySymbols(server).find(
    (symbol) => symbol.description === 'IncomingMessage'
  );
  /** @type {Origin} */
  const origin = {
    transport,
    connectionListener: server.rawListeners('connection')[0],
    shouldUpgrade: server.shouldUpgradeCallback,
    IncomingMessage: (messages && server[messages]) ?? http.IncomingMessage,
    listening: null
  };
  Object.defineProperty(server, kOrigin, { value: origin });
  return Object.setPrototypeOf(server, ListeningServer.prototype);
}

/**
 * @param {AnyServer} server
 * @returns {Listening | null} what it listens with, unless that is all Node's
 */
function current(server) {
  const { listening } = server[kOrigin];
  return listening !== null && server._handle === listening.handle ? listening : null;
}

/**
 * Binds a handle of Node's, as the last step of listen() does.
 *
 * @param {string | null | undefined} address
 * @param {number} port
 * @param {number} addressType
 * @param {number | undefined} flags
 * @returns {{ handle: any, address: string, addressType: number } | null} null: it fails, for a reason that Node is to report
 */
function bind(address, port, addressType, flags) {
  /** @type {[string, number][]} */
  const addresses = address
    ? [[address, addressType]]
    : [
        ['::', 6],
        ['0.0.0.0', 4]
      ];
  for (const [candidate, type] of addresses) {
    const handle = /** @type {any} */ (net)._createServerHandle(
      candidate,
      port,
      type,
      undefined,
      flags
    );
    if (typeof handle === 'object') return { handle, address: candidate, addressType: type };
  }
  return null;
}

module.exports = { createServer };
