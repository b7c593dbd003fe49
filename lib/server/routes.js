'use strict';

/*
 * WebSocketServers with the option `paths` on one http.Server. They share one 'upgrade' listener, which passes a request to the first of
 * them that handles it. A request of no one is refused once, as a single server of ws would, unless the http.Server has other 'upgrade'
 * listeners, whose request it may be. Only websocket-server.js uses it.
 */

const { defineHidden } = require('../node/define');

/** Key of the Routes of an http.Server, the same in all copies of the package. */
const kRoutes = Symbol.for('ferrows.routes');

/** @typedef {import('../websocket-server')} WebSocketServer */
/** @typedef {import('http').Server & { [kRoutes]?: Routes }} Server */
/** @typedef {(ws: any, req: import('http').IncomingMessage) => void} UpgradeCallback */

class Routes {
  /** @param {Server} server */
  constructor(server) {
    this.server = server;
    /** With the callback for a new WebSocket, in the order in which they were created. @type {Map<any, UpgradeCallback>} */
    this.members = new Map();
    /** @type {(req: any, socket: any, head: Buffer) => void} */
    this.listener = (req, socket, head) => this.dispatch(req, socket, head);
  }

  /** @param {any} wss @param {UpgradeCallback} callback */
  add(wss, callback) {
    this.members.set(wss, callback);
    // A program may have removed it.
    if (!this.server.listeners('upgrade').includes(this.listener)) {
      this.server.on('upgrade', this.listener);
    }
  }

  /** @param {any} wss */
  remove(wss) {
    this.members.delete(wss);
    if (this.members.size === 0) this.server.removeListener('upgrade', this.listener);
  }

  /**
   * @param {import('http').IncomingMessage} req
   * @param {any} socket
   * @param {Buffer} head
   */
  dispatch(req, socket, head) {
    let handler;
    for (const wss of this.members.keys()) {
      if (wss.shouldHandle(req)) {
        handler = wss;
        break;
      }
    }
    if (handler === undefined && this.server.listenerCount('upgrade') === 1) {
      // It refuses the request.
      handler = this.members.keys().next().value;
    }
    handler?.handleUpgrade(req, socket, head, this.members.get(handler));
  }
}

/**
 * Passes requests of an http.Server to a WebSocketServer, if it handles them.
 *
 * @param {Server} server
 * @param {any} wss
 * @param {UpgradeCallback} callback called with each new WebSocket
 * @returns {() => void} ends it
 */
function addRoute(server, wss, callback) {
  if (server[kRoutes] === undefined) defineHidden(server, kRoutes, new Routes(server));
  const routes = /** @type {Routes} */ (server[kRoutes]);
  routes.add(wss, callback);
  return () => routes.remove(wss);
}

module.exports = { addRoute };
