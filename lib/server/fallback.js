'use strict';

/*
 * The reasons why Node accepts, or parses, in the place of the addon. One function, asked when a server begins to listen, before
 * connections are accepted, and again for each request to upgrade: programs change their server while it runs.
 * listening-server.js and arriving.js ask; how Node then gets a connection is theirs.
 *
 * Node looks at a server, its handle and its prototypes when it accepts a connection and when it parses a request. Whatever it looks
 * at on the way to 'upgrade' is looked at here: the addon goes on only while each is as Node has made it. A member that Node calls on an
 * object is compared with the original at the time of the call, not when this is loaded.
 */

const diagnosticsChannel = require('diagnostics_channel');
const EventEmitter = require('events');
const net = require('net');
const { getDefaultHighWaterMark } = require('stream');
const { debuglog } = require('util');

const { hasNodeSockets } = require('../socket/detached-socket');
const { resolveMode } = require('../transport/mode');
const { listens, takesSockets } = require('../native');

/** Node publishes each socket that its servers accept. */
const sockets = diagnosticsChannel.channel('net.server.socket');

/** `NODE_DEBUG=ferrows` prints the reason. */
const debug = debuglog('ferrows');

/**
 * `emit()` of Node. Whatever is found in its place at loading is a patch that wants to see every event: then there is no original.
 *
 * @type {unknown}
 */
const emit = isNodes(EventEmitter.prototype.emit) ? EventEmitter.prototype.emit : null;

/**
 * @param {Function} method
 * @returns {boolean} whether it has the source of the emit() of Node
 */
function isNodes(method) {
  const source = Function.prototype.toString.call(method);
  return source.startsWith('function emit(type, ...args)') && source.includes('kErrorMonitor');
}

/** @typedef {import('./http-server').AnyServer} AnyServer */
/** @typedef {import('./http-server').Origin} Origin */

/**
 * @typedef {Object} Listening
 * @property {boolean} hasHandle whether the socket has been bound elsewhere
 */

/**
 * @param {AnyServer} server
 * @param {Origin} origin
 * @param {Listening} [listening] given when it begins to listen; otherwise it does, and a connection comes
 * @returns {string | null} the reason in words; null: there is none
 */
function reasonForNode(server, origin, listening) {
  const reason =
    listening === undefined ? ofConnection(server, origin) : ofListening(origin, listening);
  if (reason !== null) debug('http.Server serves: %s', reason);
  return reason;
}

/**
 * @param {Origin} origin
 * @param {Listening} listening
 * @returns {string | null}
 */
function ofListening({ transport }, { hasHandle }) {
  if (!(listens && takesSockets && hasNodeSockets))
    return 'the addon can not listen on this system';
  if (process.env.FERROWS_ACCEPT === 'node') return 'FERROWS_ACCEPT says so';
  if (resolveMode(transport) === 'stream') return 'Node is to move the bytes, too';
  // A cluster's worker gets its handle, or what is accepted, from the primary process.
  if (hasHandle) return 'the socket is bound already';
  // Node checks them when it listens.
  if (/** @type {any} */ (process).permission !== undefined) return 'permissions are restricted';
  if (!('_createServerHandle' in net)) return 'this Node lets no one else bind its handles';
  return null;
}

/**
 * In the order in which Node looks: the handle, the server when it accepts, the server when it parses.
 *
 * @param {AnyServer} server
 * @param {Origin} origin
 * @returns {string | null}
 */
function ofConnection(server, { connectionListener, listening, shouldUpgrade }) {
  const { handle, maxHeaderSize, onconnection, owner } =
    /** @type {NonNullable<typeof listening>} */ (listening);
  if (handle.onconnection !== onconnection) return 'accepted handles go to another function';
  if (owner === undefined || handle[owner] !== server) return 'the handle has another owner';

  if (server.maxConnections != null) return 'connections are limited';
  if (server.blockList !== undefined) return 'addresses are blocked';
  if (server.allowHalfOpen !== true) return 'sockets are not to be half open';
  if (server.pauseOnConnect) return 'sockets are to be paused';
  if (server.highWaterMark !== getDefaultHighWaterMark(false))
    return 'buffers have a size of their own';
  if (server.noDelay !== true) return 'sockets are to delay';
  if (server.keepAlive) return 'connections are to be kept alive';
  if (server.emit !== emit) return 'emit() is replaced';
  if (server.listenerCount('connection') !== 1) return 'there is a listener for each socket';
  if (server.rawListeners('connection')[0] !== connectionListener)
    return 'the listener for sockets is replaced';
  if (sockets.hasSubscribers) return 'there is a subscriber to sockets';

  if (server.timeout) return 'idle sockets are to be closed';
  if (server.maxHeaderSize !== maxHeaderSize) return 'the limit of a head has been changed';
  if (server.insecureHTTPParser !== undefined || server.httpValidation !== undefined)
    return 'the parser has a strictness of its own';
  if (server.maxHeadersCount !== null) return 'header fields are limited';
  if (server.listenerCount('clientError') !== 0) return 'there is a listener for failures';
  if (server.listenerCount('upgrade') === 0) return 'there is no listener for upgrades';
  if (server.shouldUpgradeCallback !== shouldUpgrade) return 'a function chooses among upgrades';
  return null;
}

module.exports = { reasonForNode };
