'use strict';

/*
 * The conditions under which Node, not the addon, accepts connections and parses requests. Evaluated when a server begins to
 * listen, before connections are accepted, and for each request to upgrade, because programs change a server while it runs.
 * http-server.js and upgrade.js hand the connection to Node.
 *
 * Node reads members of a server, its handle and their prototypes on the way to 'upgrade'. Each of them is compared here with
 * the value that Node gave it; __test__/differential/server-members.js lists them. The comparison happens when Node would read
 * the member, not when this file is loaded.
 */

const { AsyncResource } = require('async_hooks');
const diagnosticsChannel = require('diagnostics_channel');
const EventEmitter = require('events');
const http = require('http');
const net = require('net');
const { getDefaultHighWaterMark } = require('stream');

const { hasNodeSockets } = require('../socket/detach');
const { debug } = require('../transport/debug');
const { resolveMode } = require('../transport/mode');
const { listens, takesSockets } = require('../native');

const { getEnabledCategories } = loadTraceEvents();

/** @returns {{ getEnabledCategories(): string | undefined }} Node may have been built without trace events */
function loadTraceEvents() {
  try {
    return require('trace_events');
  } catch {
    return { getEnabledCategories: () => undefined };
  }
}

/** The channel on which Node publishes each accepted socket. */
const acceptedSockets = diagnosticsChannel.channel('net.server.socket');

/**
 * The original emit(); null if it was patched when this file was loaded, because the patch observes every event.
 *
 * @type {unknown}
 */
const emit = isOriginalEmit(EventEmitter.prototype.emit) ? EventEmitter.prototype.emit : null;

/** @param {Function} method @returns {boolean} true if it has the source of Node's emit() */
function isOriginalEmit(method) {
  const source = Function.prototype.toString.call(method);
  return source.startsWith('function emit(type, ...args)') && source.includes('kErrorMonitor');
}

const { IncomingMessage } = http;

/** @typedef {import('./http-server').AnyServer} AnyServer */
/** @typedef {import('./http-server').Snapshot} Snapshot */

/**
 * Returns the reason to fall back to Node's http.Server, and prints it with `NODE_DEBUG=ferrows`.
 *
 * @param {AnyServer} server
 * @param {Snapshot} snapshot
 * @param {{ isBound: boolean } | undefined} [binding] given when the server begins to listen; `isBound`: it has a handle or a
 *   descriptor already
 * @returns {string | null} null: the addon accepts and parses
 */
function fallbackReason(server, snapshot, binding) {
  const reason =
    binding === undefined
      ? connectionReason(server, snapshot)
      : listenReason(snapshot, binding.isBound);
  if (reason !== null) debug("falling back to Node's http.Server: %s", reason);
  return reason;
}

/**
 * @param {Snapshot} snapshot
 * @param {boolean} isBound
 * @returns {string | null}
 */
function listenReason({ transport }, isBound) {
  if (!(listens && takesSockets && hasNodeSockets)) return 'the addon cannot listen on this system';
  if (process.env.FERROWS_ACCEPT === 'node') return 'FERROWS_ACCEPT=node is set';
  if (resolveMode(transport) === 'stream') return 'the transport is "stream"';
  // A cluster worker gets its handle, or accepted connections, from the primary process.
  if (isBound) return 'the listening socket was bound elsewhere';
  // Node checks permissions in listen().
  if (/** @type {any} */ (process).permission !== undefined)
    return 'the permission model is enabled';
  if (!('_createServerHandle' in net)) return 'this version of Node lacks _createServerHandle()';
  return null;
}

/**
 * In the order in which Node reads the members: the handle, the server when it accepts, the server when it parses.
 *
 * @param {AnyServer} server
 * @param {Snapshot} snapshot
 * @returns {string | null}
 */
function connectionReason(server, { connectionListener, listening, shouldUpgrade }) {
  const { handle, maxHeaderSize, onconnection, owner } =
    /** @type {NonNullable<typeof listening>} */ (listening);
  if (handle.onconnection !== onconnection) return 'onconnection of the handle was replaced';
  if (owner === undefined || handle[owner] !== server) return 'the handle has another owner';

  if (server.maxConnections != null) return 'server.maxConnections is set';
  if (server.blockList !== undefined) return 'server.blockList is set';
  if (server.allowHalfOpen !== true) return 'server.allowHalfOpen is not true';
  if (server.pauseOnConnect) return 'server.pauseOnConnect is set';
  if (server.highWaterMark !== getDefaultHighWaterMark(false))
    return 'server.highWaterMark is not the default';
  if (server.noDelay !== true) return 'server.noDelay is not true';
  if (server.keepAlive) return 'server.keepAlive is set';
  if (server.emit !== emit) return 'emit() of the server was replaced';
  if (server.listenerCount('connection') !== 1)
    return "the number of 'connection' listeners is not 1";
  if (server.rawListeners('connection')[0] !== connectionListener)
    return "Node's 'connection' listener was replaced";
  if (acceptedSockets.hasSubscribers) return 'the channel net.server.socket has subscribers';

  if (server.timeout) return 'server.timeout is set';
  if (server.maxHeaderSize !== maxHeaderSize) return 'server.maxHeaderSize was changed';
  if (server.insecureHTTPParser !== undefined || server.httpValidation !== undefined)
    return 'options of the HTTP parser are set';
  if (server.maxHeadersCount !== null) return 'server.maxHeadersCount is set';
  if (server.listenerCount('clientError') !== 0) return "there is a 'clientError' listener";
  if (server.listenerCount('upgrade') === 0) return "there is no 'upgrade' listener";
  if (server.shouldUpgradeCallback !== shouldUpgrade)
    return 'server.shouldUpgradeCallback was replaced';
  return null;
}

/** Methods of Node that a response passes through, as they were when this file was loaded: object, name, method. */
const METHODS = /** @type {[any, string[]][]} */ ([
  [
    http.ServerResponse.prototype,
    ['_finish', '_flush', '_implicitHeader', '_send', '_storeHeader', '_writeRaw', 'assignSocket']
      .concat(['cork', 'detachSocket', 'emit', 'end', 'on', 'setHeader', 'uncork', 'write'])
      .concat(['writeHead'])
  ],
  [
    http.IncomingMessage.prototype,
    ['_addHeaderLine', '_addHeaderLines', '_destroy', '_dump', '_read', 'emit', 'on', 'push']
  ],
  [
    net.Socket.prototype,
    ['_destroy', '_final', '_read', '_write', '_writeGeneric', '_writev', 'cork', 'destroy']
      .concat(['destroySoon', 'emit', 'end', 'on', 'once', 'pause', 'push', 'read', 'resume'])
      .concat(['setNoDelay', 'setTimeout', 'uncork', 'write'])
  ]
]).flatMap(([object, names]) => names.map((name) => ({ object, name, method: object[name] })));

/** True if some of them had been replaced before. */
const wasPatched = ['writeHead', 'end', 'write'].some((name) => {
  const source = Function.prototype.toString.call(
    /** @type {any} */ (http.ServerResponse.prototype)[name]
  );
  return !source.startsWith(`function ${name}(`);
});

/** Channels on which Node publishes requests and responses; some versions lack some. */
const RESPONSE_CHANNELS = [
  'http.server.request.start',
  'http.server.response.created',
  'http.server.response.finish'
].map((name) => diagnosticsChannel.channel(name));

/** A request, as far as a ServerResponse without a connection reads it. */
const REQUEST = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers: {} };

/**
 * Observers of a response that Node or ws gives without a call of the program, in addition to those of fallbackReason(). With one
 * of them, Node handles the connection, or 'upgrade' is emitted. `of`: observed by all responses ("refusal", of 400, 408 and 431,
 * which Node sends without a request), only by those to a complete request ("response", of 426), or by those of ws to a request to
 * upgrade ("upgrade", of 400).
 *
 * @type {{ name: string, of: 'refusal' | 'response' | 'upgrade', isPresent: (server: AnyServer, snapshot: Snapshot) => boolean }[]}
 */
const OBSERVERS = [
  {
    name: 'async_hooks are enabled',
    of: 'refusal',
    isPresent: hasAsyncHooks
  },
  {
    name: 'methods of http or net were replaced',
    of: 'refusal',
    isPresent: () =>
      wasPatched || METHODS.some(({ object, name, method }) => object[name] !== method)
  },
  {
    name: "the 'request' listeners are not only that of ws",
    of: 'response',
    isPresent: (server, { answer }) =>
      server.listenerCount('request') !== 1 || server.rawListeners('request')[0] !== answer
  },
  {
    name: "there is a 'timeout' listener",
    of: 'response',
    isPresent: (server) => server.listenerCount('timeout') !== 0
  },
  {
    name: 'diagnostics channels of responses have subscribers',
    of: 'response',
    isPresent: () => RESPONSE_CHANNELS.some(({ hasSubscribers }) => hasSubscribers)
  },
  {
    name: 'trace events of node.http are recorded',
    of: 'response',
    isPresent: () => /node\.http|^node$|,node,/.test(getEnabledCategories() ?? '')
  },
  {
    name: 'a PerformanceObserver observes HTTP',
    of: 'response',
    // Node marks each response then.
    isPresent: () =>
      Object.getOwnPropertySymbols(new http.ServerResponse(/** @type {any} */ (REQUEST))).some(
        ({ description }) => description === 'ServerResponseStatistics'
      )
  },
  {
    name: "the 'upgrade' listeners are not only that of ws",
    of: 'upgrade',
    isPresent: (server, { upgrade }) =>
      server.listenerCount('upgrade') !== 1 ||
      server.rawListeners('upgrade')[0] !== upgrade?.listener
  },
  {
    name: 'handleUpgrade() was replaced',
    of: 'upgrade',
    isPresent: (_server, { upgrade }) => upgrade?.wss.handleUpgrade !== upgrade?.handleUpgrade
  },
  {
    name: "there is a 'wsClientError' listener",
    of: 'upgrade',
    isPresent: (_server, { upgrade }) => upgrade?.wss.listenerCount('wsClientError') !== 0
  },
  {
    name: "the class of requests is not Node's",
    of: 'upgrade',
    // Its headers cannot be redefined.
    isPresent: (_server, snapshot) => snapshot.IncomingMessage !== IncomingMessage
  }
];

/** @returns {boolean} true if hooks are called when a resource is created: only then Node checks its type */
function hasAsyncHooks() {
  try {
    Reflect.construct(AsyncResource, ['']);
    return false;
  } catch {
    return true;
  }
}

/**
 * Finds an observer of a response that Node or ws gives without a call of the program. Those of "response" are costly.
 *
 * @param {AnyServer} server
 * @param {Snapshot} snapshot
 * @param {'refusal' | 'response' | 'upgrade'} of see OBSERVERS
 * @returns {string | null} its name; null: the addon may send the response
 */
function findObserver(server, snapshot, of) {
  if (of === 'refusal') {
    const reason = connectionReason(server, snapshot);
    if (reason !== null) return reason;
  }
  const found = OBSERVERS.find(
    (observer) => observer.of === of && observer.isPresent(server, snapshot)
  );
  if (found === undefined) return null;
  debug('leaving the response to Node: %s', found.name);
  return found.name;
}

module.exports = { OBSERVERS, fallbackReason, findObserver };
