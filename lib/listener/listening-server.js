'use strict';

/*
 * The http.Server behind `new WebSocketServer({ port })`: Node's in all, but that it listens through the addon where nothing
 * speaks against it (rule.js). Address, errors, events, and whatever is no plain request to upgrade, stay Node's.
 * websocket-server.js makes it.
 */

const http = require('http');

const { ListenHandle } = require('./listen-handle');
const { reasonForNode } = require('./rule');

/** @typedef {http.Server & Record<string, any>} AnyServer whose types do not know how it listens */

/** @type {new (...args: any[]) => AnyServer} */
const Server = http.Server;

class ListeningServer extends Server {
  /** What the user has said of transports. @type {string | undefined} */
  #transport;
  /** What Node asks about a request to upgrade, as it was made. @type {unknown} */
  #shouldUpgrade;

  /**
   * @param {(req: http.IncomingMessage, res: http.ServerResponse) => void} answer for plain requests
   * @param {string | undefined} transport option of the WebSocketServer
   */
  constructor(answer, transport) {
    super(answer);
    this.#transport = transport;
    this.#shouldUpgrade = this.shouldUpgradeCallback;
  }

  /** Whether somebody wants a say in what is an upgrade. */
  get isChoosingUpgrades() {
    return this.shouldUpgradeCallback !== this.#shouldUpgrade;
  }

  /**
   * The last step of listen(), which Node calls when it knows the address. If Node ever calls another, it listens itself.
   *
   * @param {string | null | undefined} address IP address, path of a Unix socket, or nothing: all addresses
   * @param {number} port
   * @param {number} addressType 4, 6; -1: a path
   * @param {number | undefined} backlog
   * @param {number | undefined} fd
   * @param {number | undefined} flags
   */
  _listen2(address, port, addressType, backlog, fd, flags) {
    const hasHandle = Boolean(this._handle) || typeof fd === 'number';
    const listening = { transport: this.#transport, hasHandle, address, flags: flags ?? 0 };
    if (reasonForNode(this, listening) === null) {
      const handle = new ListenHandle(this);
      address = handle.open(address, port, addressType, backlog, listening.flags);
      if (addressType !== -1) addressType = address.includes(':') ? 6 : 4;
      this._handle = handle;
    }
    super._listen2(address, port, addressType, backlog, fd, flags);
  }

  /** Of those that have not said what they want, too. */
  closeAllConnections() {
    if (this._handle instanceof ListenHandle) this._handle.closePending();
    super.closeAllConnections();
  }

  /** close() calls it, too. */
  closeIdleConnections() {
    if (this._handle instanceof ListenHandle) this._handle.giveSilent();
    super.closeIdleConnections();
  }
}

// It is still the Server that whoever logs it knows.
Object.defineProperty(ListeningServer.prototype, 'constructor', { value: http.Server });

module.exports = { ListeningServer };
