'use strict';

/*
 * The http.Server of `new WebSocketServer({ port })`. Created by `http.createServer()`, as in ws, it listens through the addon
 * unless fallback.js gives a reason not to. The handle, its address and the events are Node's. The addon accepts connections and
 * parses plain requests to upgrade; others are answered by node-responses.js or handed to Node. Only websocket-server.js creates it.
 */

const http = require('http');
const net = require('net');

const { ListenHandle } = require('./listen-handle');
const { fallbackReason } = require('./fallback');
const { requestLimits } = require('./handshake-timeout');

/** @typedef {InstanceType<typeof ListenHandle>} Listening */
/** @typedef {http.Server & Record<string | symbol, any>} AnyServer with members that @types/node lacks */

/** Key of the {@link Snapshot} of a server that may listen through the addon. */
const kSnapshot = Symbol('snapshot');

/**
 * The members of a server when it was created, with which fallback.js compares.
 *
 * @typedef {Object} Snapshot
 * @property {string | undefined} transport option of the WebSocketServer
 * @property {unknown} connectionListener Node's 'connection' listener
 * @property {unknown} shouldUpgrade Node's shouldUpgradeCallback; undefined in versions without it
 * @property {Function} answer ws's 'request' listener
 * @property {new (socket: any) => any} IncomingMessage class of its requests
 * @property {UpgradeListener | null} upgrade that of the WebSocketServer; null: not added yet
 * @property {Listening | null} listening the current or last listening socket of the addon; null: Node listens
 */

/**
 * @typedef {Object} UpgradeListener
 * @property {any} wss
 * @property {Function} listener calls `wss.handleUpgrade()`
 * @property {Function} handleUpgrade the method of the class
 */

/** @type {new (...args: any[]) => AnyServer} */
const Server = http.Server;

/**
 * Never constructed: becomes the prototype of the object that `http.createServer()` has returned, because programs replace that
 * function.
 */
class NativeListenServer extends Server {
  /**
   * Listens. Node calls it as the last step of listen(), when the address has been resolved.
   *
   * @param {string | null | undefined} address IP address or path of a Unix socket; by default all addresses
   * @param {number} port
   * @param {number} addressType 4, 6, or -1 for a path
   * @param {number | undefined} backlog
   * @param {number | undefined} fd
   * @param {number | undefined} flags of libuv
   */
  _listen2(address, port, addressType, backlog, fd, flags) {
    /** @type {Snapshot} */
    const snapshot = this[kSnapshot];
    snapshot.listening = null;
    const isBound = Boolean(this._handle) || typeof fd === 'number';
    const reason = fallbackReason(this, snapshot, { isBound });
    const bound = reason === null ? bind(address, port, addressType, flags) : null;
    if (bound === null) {
      super._listen2(address, port, addressType, backlog, fd, flags);
      return;
    }
    const listening = new ListenHandle(this, snapshot, bound.handle);
    snapshot.listening = listening;
    this._handle = bound.handle;
    super._listen2(bound.address, port, bound.addressType, backlog, fd, flags);
    listening.start();
  }

  /** Includes pending connections. @param {(error: Error | null, count: number) => void} callback */
  getConnections(callback) {
    // Node reads `_connections` synchronously.
    const pending = currentHandle(this)?.listener.pendingCount() ?? 0;
    this._connections += pending;
    try {
      return super.getConnections(callback);
    } finally {
      this._connections -= pending;
    }
  }

  /** Closes pending connections too. */
  closeAllConnections() {
    currentHandle(this)?.listener.closePending();
    super.closeAllConnections();
  }

  /** Hands silent connections to Node, whose definition of idle differs by version. close() calls it. */
  closeIdleConnections() {
    currentHandle(this)?.passSilent();
    super.closeIdleConnections();
  }
}

// util.inspect() prints the name of the constructor.
Object.defineProperty(NativeListenServer.prototype, 'constructor', { value: http.Server });

/**
 * @param {(req: http.IncomingMessage, res: http.ServerResponse) => void} answer listener for requests without upgrade
 * @param {string | undefined} transport option of the WebSocketServer
 * @param {number} handshakeTimeout in milliseconds; 0: none
 * @returns {AnyServer} the object that `http.createServer()` returned
 */
function createServer(answer, transport, handshakeTimeout) {
  /** @type {AnyServer} */
  const server =
    handshakeTimeout === 0
      ? http.createServer(answer)
      : http.createServer(requestLimits(handshakeTimeout), answer);
  const isOriginal = server && Object.getPrototypeOf(server) === http.Server.prototype;
  if (!isOriginal || server.listening) return server;
  const messages = Object.getOwnPropertySymbols(server).find(
    (symbol) => symbol.description === 'IncomingMessage'
  );
  /** @type {Snapshot} */
  const snapshot = {
    transport,
    connectionListener: server.rawListeners('connection')[0],
    shouldUpgrade: server.shouldUpgradeCallback,
    answer,
    IncomingMessage: (messages && server[messages]) ?? http.IncomingMessage,
    upgrade: null,
    listening: null
  };
  Object.defineProperty(server, kSnapshot, { value: snapshot });
  return Object.setPrototypeOf(server, NativeListenServer.prototype);
}

/**
 * Notes the 'upgrade' listener of the WebSocketServer that has created a server. Does nothing for other servers.
 *
 * @param {http.Server} server
 * @param {UpgradeListener} upgrade
 */
function setUpgradeListener(server, upgrade) {
  /** @type {Snapshot | undefined} */
  const snapshot = /** @type {AnyServer} */ (server)[kSnapshot];
  if (snapshot?.upgrade === null) snapshot.upgrade = upgrade;
}

/**
 * @param {AnyServer} server
 * @returns {Listening | null} null: it does not listen through the addon
 */
function currentHandle(server) {
  const { listening } = server[kSnapshot];
  return listening !== null && server._handle === listening.handle ? listening : null;
}

/**
 * Creates and binds a handle of Node, as Node's `_listen2()` does.
 *
 * @param {string | null | undefined} address
 * @param {number} port
 * @param {number} addressType
 * @param {number | undefined} flags
 * @returns {{ handle: any, address: string, addressType: number } | null} null: it fails, and Node will
 *   report the same error
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

module.exports = { createServer, setUpgradeListener };
