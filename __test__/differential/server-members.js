'use strict';

// Members of a server, of a listening handle and of accepted sockets that Node's own sources use (`net.js`, `_http_server.js`,
// `_http_common.js` of Node 20, 22, 24 and 26). listening-members.js exercises each with ws and with ferrows;
// __test__/listener/members.test.js reads the sources of the running Node and fails if they use a member that is not listed.

const { EventEmitter } = require('node:events');
const diagnosticsChannel = require('node:diagnostics_channel');
const http = require('node:http');
const net = require('node:net');
const { upgradeRequest } = require('./raw-peer');

const UPGRADE = upgradeRequest();
const GET = 'GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const HALF = 'GET / HT';

/**
 * A change of a member of a listening server, and its visible effect.
 *
 * @typedef {object} Change
 * @property {(server: any, log: (...args: unknown[]) => void) => (() => void) | void} change returns a function that reverts
 *   changes outside the server
 * @property {string[]} [requests] sent on one connection each, in turn; default: an upgrade and a plain request
 * @property {boolean} [isSilent] no response is expected
 * @property {boolean} [isAtOnce] the change is made in the tick in which the server is constructed
 */

/** Logs the names of events. */
const wrapEmit = (target, log) => {
  const descriptor = Object.getOwnPropertyDescriptor(target, 'emit');
  const { emit } = target;
  target.emit = function (...args) {
    if (this instanceof http.Server) log('emitted', args[0]);
    return emit.apply(this, args);
  };
  return () => {
    if (descriptor) Object.defineProperty(target, 'emit', descriptor);
    else delete target.emit;
  };
};

/** Changes several members and reverts nothing: the server is not used afterwards. */
const assign = (server, values) => {
  Object.assign(server, values);
};

const set = (name, value) => ({
  change: (server) => {
    server[name] = typeof value === 'function' ? value() : value;
  }
});

/** Members of a server that Node reads when it accepts, when it parses, and periodically. @type {Record<string, Change>} */
const SETTINGS = {
  allowHalfOpen: set('allowHalfOpen', false),
  blockList: set('blockList', () => {
    const list = new net.BlockList();
    list.addAddress('127.0.0.1');
    return list;
  }),
  'blockList that lets pass': set('blockList', () => new net.BlockList()),
  connectionsCheckingInterval: {
    change: (server) => assign(server, { connectionsCheckingInterval: 30, headersTimeout: 60 }),
    requests: [HALF, ''],
    isAtOnce: true
  },
  dropMaxConnection: {
    change: (server, log) => {
      server.maxConnections = 0;
      server.dropMaxConnection = true;
      server.on('drop', (data) => log('drop', Object.keys(data ?? {})));
    },
    isSilent: true
  },
  emit: { change: (server, log) => wrapEmit(server, log) },
  'emit of http.Server': { change: (_server, log) => wrapEmit(http.Server.prototype, log) },
  'emit of net.Server': { change: (_server, log) => wrapEmit(net.Server.prototype, log) },
  'emit of EventEmitter': { change: (_server, log) => wrapEmit(EventEmitter.prototype, log) },
  headersTimeout: {
    change: (server) => assign(server, { connectionsCheckingInterval: 30, headersTimeout: 50 }),
    requests: [HALF],
    isAtOnce: true
  },
  highWaterMark: set('highWaterMark', 1000),
  httpAllowHalfOpen: set('httpAllowHalfOpen', true),
  httpValidation: {
    change: (server) => assign(server, { httpValidation: 'insecure' }),
    requests: [UPGRADE, upgradeRequest({ headers: { 'X-Odd': 'a\x01b' } })]
  },
  insecureHTTPParser: {
    change: (server) => assign(server, { insecureHTTPParser: true }),
    requests: [UPGRADE, upgradeRequest({ headers: { 'X-Odd': 'a\x01b' } })]
  },
  joinDuplicateHeaders: {
    change: (server, log) => {
      server.joinDuplicateHeaders = true;
      server.prependListener('upgrade', (req) =>
        log('upgrade', req.headers['x-twice'], req.headers.from)
      );
    },
    requests: [upgradeRequest({ headers: { 'X-Twice': ['a', 'b'], From: ['a', 'b'] } })]
  },
  keepAlive: set('keepAlive', true),
  keepAliveInitialDelay: set('keepAliveInitialDelay', 7),
  keepAliveTimeout: {
    change: (server) => assign(server, { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 1 }),
    requests: [UPGRADE, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n']
  },
  keepAliveTimeoutBuffer: set('keepAliveTimeoutBuffer', 1),
  listenerCount: {
    change: (server) => {
      server.removeAllListeners('upgrade');
    },
    requests: [UPGRADE]
  },
  maxConnections: { ...set('maxConnections', 1), requests: [GET, UPGRADE] },
  'maxConnections of none': { ...set('maxConnections', 0), isSilent: true },
  maxHeaderSize: { ...set('maxHeaderSize', 100), requests: [UPGRADE, GET] },
  maxHeadersCount: { ...set('maxHeadersCount', 2), requests: [UPGRADE, GET] },
  maxRequestsPerSocket: {
    ...set('maxRequestsPerSocket', 1),
    requests: [UPGRADE, `${GET.replace('close', 'keep-alive')}${GET}`]
  },
  noDelay: set('noDelay', false),
  on: {
    change: (server, log) => {
      server.on('connection', (socket) => log('connection', socket.server === server));
    }
  },
  pauseOnConnect: { ...set('pauseOnConnect', true), isSilent: true },
  rejectNonStandardBodyWrites: set('rejectNonStandardBodyWrites', true),
  requestTimeout: {
    change: (server) =>
      assign(server, {
        connectionsCheckingInterval: 30,
        headersTimeout: 0,
        requestTimeout: 50
      }),
    requests: [HALF],
    isAtOnce: true
  },
  'requestTimeout of forever': {
    change: (server) =>
      assign(server, {
        connectionsCheckingInterval: 1,
        headersTimeout: 0,
        requestTimeout: 0
      }),
    requests: [HALF],
    isAtOnce: true,
    isSilent: true
  },
  requireHostHeader: {
    ...set('requireHostHeader', false),
    requests: [upgradeRequest({ headers: { Host: null } }), GET.replace('Host: a\r\n', '')]
  },
  'the listener for connections, wrapped': {
    change: (server, log) => {
      const [original] = server.listeners('connection');
      server.removeAllListeners('connection');
      server.on('connection', function (socket) {
        log('wrapped');
        original.call(this, socket);
      });
    }
  },
  'a listener for failures': {
    change: (server, log) => {
      server.on('clientError', (error, socket) => {
        log('clientError', error.code);
        socket.destroy();
      });
    },
    requests: [UPGRADE, 'NO SUCH THING\r\n\r\n']
  },
  'a subscriber to sockets': {
    change: (server, log) => {
      const listener = ({ socket }) => {
        if (socket.server === server) log('published');
      };
      diagnosticsChannel.subscribe('net.server.socket', listener);
      return () => diagnosticsChannel.unsubscribe('net.server.socket', listener);
    }
  },
  'a subscriber to requests': {
    change: (mine, log) => {
      const listener = ({ server, request }) => {
        if (server === mine) log('started', request.url);
      };
      diagnosticsChannel.subscribe('http.server.request.start', listener);
      return () => diagnosticsChannel.unsubscribe('http.server.request.start', listener);
    }
  },
  shouldUpgradeCallback: {
    ...set('shouldUpgradeCallback', () => () => false),
    requests: [UPGRADE]
  },
  timeout: {
    change: (server, log) => {
      server.timeout = 40;
      server.on('timeout', (socket) => {
        log('timeout');
        socket.destroy();
      });
    },
    requests: [HALF]
  }
};

/** Members of the listening handle. Each is used on a listening server and returns a value to compare. */
const HANDLE = {
  constructor: (handle) => handle.constructor.name,
  fd: (handle) => [typeof handle.fd, handle.fd > 2],
  getAsyncId: (handle) => handle.getAsyncId() > 0,
  getProviderType: (handle) => typeof handle.getProviderType(),
  getsockname: (handle) => {
    const out = {};
    return [handle.getsockname(out), Object.keys(out), out.address, out.port > 0];
  },
  hasRef: (handle) => {
    const before = handle.hasRef();
    handle.unref();
    const after = handle.hasRef();
    handle.ref();
    return [before, after, handle.hasRef()];
  },
  isStreamBase: (handle) => handle.isStreamBase,
  'names of own properties': (handle) => Object.keys(handle),
  onconnection: (handle) => typeof handle.onconnection,
  owner: (handle, server) => handle.owner === server,
  'owner by symbol': (handle, server) =>
    Object.getOwnPropertySymbols(handle).some((key) => handle[key] === server),
  'printed name': (handle) => Object.prototype.toString.call(handle),
  setNoDelay: (handle) => handle.setNoDelay(true),
  'bytes and queues': (handle) => [handle.bytesRead, handle.bytesWritten, handle.writeQueueSize],
  'active handles': (_handle, server) => process._getActiveHandles().includes(server),
  'active resources': () => process.getActiveResourcesInfo().includes('TCPServerWrap'),
  'in one that is sent': (handle, server) =>
    server._handle === handle && handle instanceof handle.constructor
};

/** Members covered by other scenarios, or unrelated to accepting. */
const ELSEWHERE = {
  // Compared by value: listening-ports.js, listening-members.js
  server: [
    'address',
    'close',
    'closeAllConnections',
    'closeIdleConnections',
    'getConnections',
    'listen',
    'listening',
    'ref',
    'unref'
  ],
  // Node's own state, which only Node writes, and counters that the scenarios about connections compare
  state: [
    '_connections',
    '_connectionKey',
    '_emitCloseIfDrained',
    '_handle',
    '_listen2',
    '_listeningId',
    '_pipeName',
    '_unref',
    '_usingWorkers',
    '_workers',
    '_setupWorker',
    'once',
    'removeListener',
    'setTimeout'
  ],
  // Of the handle while Node binds and releases it, which Node also does with ferrows
  handle: [
    'bind',
    'bind6',
    'close',
    'fchmod',
    'listen',
    'open',
    'ref',
    'unref',
    'reset',
    'setPendingInstances'
  ],
  // Of an accepted handle: sockets of the addon become those of Node before any of these is visible (accepted-socket.js)
  accepted: ['getpeername', 'getsockname', 'setKeepAlive', 'setNoDelay', 'close']
};

module.exports = { ELSEWHERE, GET, HANDLE, SETTINGS, UPGRADE };
