'use strict';

/*
 * When Node does what the listener of the addon could do. One function, asked when a server begins to listen, before
 * connections are accepted, and again for each request to upgrade: programs change their server while it runs.
 * listening-server.js and arriving.js ask; how Node then gets a connection is theirs.
 */

const diagnosticsChannel = require('diagnostics_channel');
const { debuglog } = require('util');

const { areSocketsOfNode } = require('../transport/parked-socket');
const { chooseTransport } = require('../transport/choice');
const { listens, takesSockets } = require('../native');

/** Node publishes each socket that its servers accept. */
const sockets = diagnosticsChannel.channel('net.server.socket');

/** `NODE_DEBUG=ferrows` tells why Node does it. */
const debug = debuglog('ferrows');

/** `UV_TCP_IPV6ONLY`: the only flag of a listening socket that the addon knows. */
const IPV6_ONLY = 1;

/**
 * How a server is asked to listen.
 *
 * @typedef {Object} Listening
 * @property {string | undefined} transport the option of the WebSocketServer
 * @property {boolean} hasHandle whether somebody has bound the socket already
 * @property {string | null | undefined} address IP address or path
 * @property {number} flags of libuv
 */

/**
 * Why Node is to serve, in words; null: nothing speaks for it.
 *
 * @param {import('./listening-server').AnyServer} server
 * @param {Listening} [listening] given when it begins to listen; otherwise it does, and somebody comes
 * @returns {string | null}
 */
function reasonForNode(server, listening) {
  const reason = listening === undefined ? ofConnection(server) : ofListening(listening);
  if (reason !== null) debug('http.Server serves: %s', reason);
  return reason;
}

/**
 * @param {Listening} listening
 * @returns {string | null}
 */
function ofListening({ transport, hasHandle, address, flags }) {
  if (!(listens && takesSockets && areSocketsOfNode))
    return 'the addon can not listen on this system';
  if (process.env.FERROWS_ACCEPT === 'node') return 'FERROWS_ACCEPT says so';
  if (chooseTransport(transport) === 'stream') return 'Node is to move the bytes, too';
  // A cluster's worker gets its handle, or what is accepted, from the primary process.
  if (hasHandle) return 'the socket is bound already';
  if ((flags & ~IPV6_ONLY) !== 0) return 'the socket is to be bound in a way of its own';
  if (address?.includes('%')) return 'the address has a zone';
  // Whether it may listen is Node's to say.
  if (/** @type {any} */ (process).permission !== undefined) return 'permissions are restricted';
  return null;
}

/**
 * @param {import('./listening-server').AnyServer} server
 * @returns {string | null}
 */
function ofConnection(server) {
  if (server.listenerCount('upgrade') === 0) return 'nobody listens to upgrades';
  // Node's own is the first.
  if (server.listenerCount('connection') !== 1) return 'somebody wants to see each socket';
  if (server.listenerCount('clientError') !== 0) return 'somebody wants to know of failures';
  if (sockets.hasSubscribers) return 'somebody wants to be told of each socket';
  if (server.maxConnections != null) return 'connections are limited';
  if (server.timeout > 0) return 'idle sockets are to be closed';
  if (server.maxHeadersCount !== null) return 'header fields are limited';
  if (server.isChoosingUpgrades) return 'a function chooses among upgrades';
  return null;
}

module.exports = { reasonForNode };
