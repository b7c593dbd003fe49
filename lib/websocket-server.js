'use strict';

/*
 * The WebSocketServer class: the opening handshake on the 'upgrade' event of an http.Server (RFC 6455, section 4.2), the set of
 * clients, and closing. Connections after the handshake are websocket.js.
 */

const EventEmitter = require('events');
const http = require('http');

const PerMessageDeflate = require('./permessage-deflate');
const WebSocket = require('./websocket');
const diagnostics = require('./diagnostics');
const extension = require('./extension');
const subprotocol = require('./subprotocol');
const { addRoute } = require('./server/routes');
const { createServer, setUpgradeListener } = require('./server/http-server');
const { Statistics } = require('./stats');
const { CLOSE_TIMEOUT, DEFAULT_LIMITS, kServer, kTransport, kWebSocket } = require('./constants');
const { acceptKey } = require('./native');
const { checkMode } = require('./transport/mode');
const { createTimeLimits } = require('./transport/time-limits');
const { createError } = require('./errors');
const { hasLimits } = require('./connection/limits');
const { createPendingHandshakes } = require('./server/handshake-timeout');
const { readSettings } = require('./options/table');
const { abortHandshake, abortOrEmitClientError } = require('./server/abort-handshake');
const { checkRequest } = require('./server/check-request');
const { nextTick } = require('./node/schedule');

const RUNNING = 0;
const CLOSING = 1;
const CLOSED = 2;

/** @typedef {import('http').IncomingMessage} IncomingMessage */
/** @typedef {import('stream').Duplex & Record<string | symbol, any>} Socket */
/** @typedef {(ws: any, req: IncomingMessage) => void} UpgradeCallback */

/** @type {new () => EventEmitter & Record<string | symbol, any>} */
const Emitter = EventEmitter;

class WebSocketServer extends Emitter {
  /**
   * @param {any} options ServerOptions of index.d.ts, with exactly one of `port`, `server` and `noServer`
   * @param {() => void} [callback] with `port`: called when the server listens
   * @throws {TypeError} on invalid options
   */
  constructor(options, callback) {
    super();
    options = {
      allowSynchronousEvents: true,
      autoPong: true,
      ...DEFAULT_LIMITS,
      skipUTF8Validation: false,
      perMessageDeflate: false,
      handleProtocols: null,
      clientTracking: true,
      closeTimeout: CLOSE_TIMEOUT,
      verifyClient: null,
      noServer: false,
      backlog: null,
      server: null,
      host: null,
      path: null,
      port: null,
      WebSocket,
      ...options
    };
    const hasPort = options.port !== null && options.port !== undefined;
    if (Number(hasPort) + Number(!!options.server) + Number(!!options.noServer) !== 1) {
      throw createError('SERVER_OPTIONS');
    }
    checkMode(options.transport);
    const settings = readSettings(options, 'server');

    if (hasPort) {
      /** @type {import('http').Server | null | undefined} undefined with `noServer`; null once closed */
      this._server = createServer(answerPlainRequest, options.transport, settings.handshakeTimeout);
      this._server.listen(options.port, options.host, options.backlog, callback);
    } else if (options.server) {
      this._server = options.server;
    }
    if (this._server) {
      /** @type {(() => void) | null | undefined} */
      this._removeListeners = watchServer(this, this._server, settings.paths !== null);
    }

    if (options.perMessageDeflate === true) options.perMessageDeflate = {};
    if (options.clientTracking) {
      /** @type {Set<any> | undefined} */
      this.clients = new Set();
      this._shouldEmitClose = false;
    }
    /** Read at every upgrade: programs change options while the server runs. */
    this.options = options;
    this._state = RUNNING;
    Object.defineProperty(this, kServer, {
      value: {
        onClientClose: createCloseListener(this),
        pending: createPendingHandshakes(settings),
        settings,
        statistics: new Statistics()
      }
    });
  }

  /**
   * @returns {import('net').AddressInfo | string | null} that of the http.Server; null once closed
   * @throws {Error} with `noServer`
   */
  address() {
    if (this.options.noServer) throw createError('NO_SERVER');
    return this._server ? this._server.address() : null;
  }

  /**
   * Stops accepting connections. `close` is emitted when the open ones have ended.
   *
   * @param {(error?: Error) => void} [callback] called on `close`, or with an error if the server is closed already
   */
  close(callback) {
    if (this._state === CLOSED) {
      if (callback) this.once('close', () => callback(createError('NOT_RUNNING')));
      nextTick(emitClose, this);
      return;
    }
    if (callback) this.once('close', callback);
    if (this._state === CLOSING) return;
    this._state = CLOSING;

    const server = this._server;
    if (server) {
      this._removeListeners?.();
      this._removeListeners = null;
      this._server = null;
    }
    if (server && !this.options.noServer && !this.options.server) {
      server.close(() => emitClose(this));
    } else if (this.clients && this.clients.size > 0) {
      this._shouldEmitClose = true;
    } else {
      nextTick(emitClose, this);
    }
  }

  /**
   * Selects requests by `options.path` or `options.paths`. Programs override it.
   *
   * @param {IncomingMessage} req
   * @returns {boolean} false: the request is answered with 400
   */
  shouldHandle(req) {
    const paths = this[kServer]?.settings.paths;
    if (paths) {
      const parameters = paths(/** @type {string} */ (req.url));
      if (parameters !== null) /** @type {any} */ (req).pathParameters = parameters;
      return parameters !== null;
    }
    if (!this.options.path) return true;
    return /** @type {string} */ (req.url).split('?', 1)[0] === this.options.path;
  }

  /**
   * Performs the opening handshake for a request to upgrade.
   *
   * @param {IncomingMessage} req
   * @param {Socket} socket
   * @param {Buffer} head bytes that have been read behind the request
   * @param {UpgradeCallback} callback called with the open WebSocket, synchronously unless `verifyClient` takes a callback
   * @throws {Error} if the socket has been upgraded already, and the errors of user hooks
   */
  handleUpgrade(req, socket, head, callback) {
    socket.on('error', socketOnError);

    /** @type {(status: number, message: string, fields?: Record<string, any>) => void} */
    const refuse = (status, message, fields) =>
      abortOrEmitClientError(this, req, socket, status, message, fields);

    const { headers } = req;
    // Read before hooks can change them.
    const key = /** @type {string} */ (headers['sec-websocket-key']);
    const isVersion8 = Number(headers['sec-websocket-version']) === 8;
    const refusal = checkRequest(req.method, headers);
    if (refusal !== null) return refuse(refusal.status, refusal.message, refusal.fields);
    if (!this.shouldHandle(req)) return abortHandshake(socket, 400);
    const origin = headers[isVersion8 ? 'sec-websocket-origin' : 'origin'];
    const allowsOrigin = this[kServer]?.settings.allowedOrigins;
    if (allowsOrigin && !allowsOrigin(origin, req)) return abortHandshake(socket, 403);

    const protocols = parseSubprotocols(headers['sec-websocket-protocol']);
    if (protocols === undefined) return refuse(400, 'Invalid Sec-WebSocket-Protocol header');
    const extensions = acceptExtensions(headers['sec-websocket-extensions'], this.options);
    if (extensions === undefined) {
      return refuse(400, 'Invalid or unacceptable Sec-WebSocket-Extensions header');
    }

    /** @type {(isVerified: any, status?: number, message?: string, fields?: Record<string, any>) => void} */
    const answer = (isVerified, status, message, fields) => {
      if (isVerified) {
        this.completeUpgrade(extensions, key, protocols, req, socket, head, callback);
      } else {
        abortHandshake(socket, status || 401, message, fields);
      }
    };
    if (!this.options.verifyClient) return answer(true);

    const { authorized, encrypted } = /** @type {any} */ (req.socket);
    const info = {
      origin,
      secure: !!(authorized || encrypted),
      req
    };
    if (this.options.verifyClient.length === 2) {
      const { pending } = this[kServer];
      this.options.verifyClient(info, pending === null ? answer : pending.watch(socket, answer));
    } else {
      answer(this.options.verifyClient(info));
    }
  }

  /**
   * Sends the 101 response and creates the WebSocket.
   *
   * @param {Record<string, any>} extensions accepted extensions, by name
   * @param {string} key Sec-WebSocket-Key
   * @param {Set<string>} protocols offered subprotocols
   * @param {IncomingMessage} req
   * @param {Socket} socket
   * @param {Buffer} head
   * @param {UpgradeCallback} callback
   * @throws {Error} if the socket has been upgraded already
   */
  completeUpgrade(extensions, key, protocols, req, socket, head, callback) {
    // The client may have disconnected during verifyClient().
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return;
    }
    if (socket[kWebSocket]) throw createError('UPGRADED_TWICE');
    if (this._state > RUNNING) {
      abortHandshake(socket, 503);
      return;
    }

    // `this.options` is read at each use: the constructor and the hooks called here may change it.
    const ws = new this.options.WebSocket(null, undefined, this.options);
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptKey(key)}`
    ];
    if (protocols.size > 0) {
      const protocol = this.options.handleProtocols
        ? this.options.handleProtocols(protocols, req)
        : protocols.values().next().value;
      if (protocol) {
        lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
        ws._protocol = protocol;
      }
    }
    const deflate = extensions[PerMessageDeflate.extensionName];
    if (deflate) {
      const value = extension.format({ [PerMessageDeflate.extensionName]: [deflate.params] });
      lines.push(`Sec-WebSocket-Extensions: ${value}`);
      ws._extensions = extensions;
    }
    this.emit('headers', lines, req);

    socket.write(lines.concat('\r\n').join('\r\n'));
    socket.removeListener('error', socketOnError);
    const { options } = this;
    /** @type {any} */
    const settings = {
      allowSynchronousEvents: options.allowSynchronousEvents,
      maxBufferedChunks: options.maxBufferedChunks,
      maxFragments: options.maxFragments,
      maxPayload: options.maxPayload,
      skipUTF8Validation: options.skipUTF8Validation
    };
    if (options.transport !== undefined) settings.transport = options.transport;
    const { onClientClose, settings: additional, statistics } = this[kServer];
    if (additional.deferReading) settings.deferReading = true;
    if (hasLimits(additional)) settings.limits = additional;
    const timeLimits = createTimeLimits(additional);
    if (timeLimits !== undefined) settings.timeLimits = timeLimits;
    ws.setSocket(socket, head, settings);
    if (this.clients) {
      this.clients.add(ws);
      ws.on('close', onClientClose);
    }
    // A subclass may override setSocket() without calling it.
    if (ws[kTransport]) statistics.add(ws, this.clients !== undefined);
    diagnostics.publishOpen(ws, this, req);
    callback(ws, req);
  }

  /**
   * Totals since the server was created. Walks over its open connections. Not in ws.
   *
   * @returns {object} ServerStatistics of index.d.ts
   */
  stats() {
    return this[kServer].statistics.read(this.clients ?? []);
  }
}

/** As it was before a program could replace it. */
const { handleUpgrade } = WebSocketServer.prototype;

/**
 * Adds the listeners of a WebSocketServer to an http.Server.
 *
 * @param {WebSocketServer} wss
 * @param {import('http').Server} server
 * @param {boolean} hasPaths true: leaves requests of other paths to other servers
 * @returns {() => void} removes them
 */
function watchServer(wss, server, hasPaths) {
  const emitConnection = wss.emit.bind(wss, 'connection');
  /** @type {[string, (...args: any[]) => void][]} */
  const listeners = [
    ['listening', wss.emit.bind(wss, 'listening')],
    ['error', wss.emit.bind(wss, 'error')]
  ];
  const removeRoute = hasPaths ? addRoute(server, wss, emitConnection) : undefined;
  if (removeRoute === undefined) {
    /** @type {(...args: any[]) => void} */
    const listener = (req, socket, head) => wss.handleUpgrade(req, socket, head, emitConnection);
    listeners.push(['upgrade', listener]);
    setUpgradeListener(server, { wss, listener, handleUpgrade });
  }
  for (const [event, listener] of listeners) server.on(event, listener);
  return function removeListeners() {
    removeRoute?.();
    for (const [event, listener] of listeners) server.removeListener(event, listener);
  };
}

/**
 * @param {WebSocketServer} wss
 * @returns {(this: any) => void} the 'close' listener of its clients
 */
function createCloseListener(wss) {
  return function () {
    const clients = /** @type {Set<any>} */ (wss.clients);
    clients.delete(this);
    if (wss._shouldEmitClose && clients.size === 0) nextTick(emitClose, wss);
  };
}

/**
 * Answers a request without upgrade by 426, Upgrade Required.
 *
 * @param {IncomingMessage} _req
 * @param {import('http').ServerResponse} res
 */
function answerPlainRequest(_req, res) {
  const body = /** @type {string} */ (http.STATUS_CODES[426]);
  res.writeHead(426, { 'Content-Length': body.length, 'Content-Type': 'text/plain' });
  res.end(body);
}

/** @param {string | undefined} header @returns {Set<string> | undefined} undefined: malformed */
function parseSubprotocols(header) {
  if (header === undefined) return new Set();
  try {
    return subprotocol.parse(header);
  } catch {
    return undefined;
  }
}

/**
 * Accepts the first acceptable offer of permessage-deflate.
 *
 * @param {string | undefined} header
 * @param {any} options
 * @returns {Record<string, any> | undefined} accepted extensions, by name; undefined: malformed, or no offer is acceptable
 */
function acceptExtensions(header, { maxPayload, perMessageDeflate }) {
  if (!perMessageDeflate || header === undefined) return {};
  try {
    const offers = extension.parse(header)[PerMessageDeflate.extensionName];
    if (!offers) return {};
    const deflate = new PerMessageDeflate({ ...perMessageDeflate, isServer: true, maxPayload });
    deflate.accept(offers);
    return { [PerMessageDeflate.extensionName]: deflate };
  } catch {
    return undefined;
  }
}

/** @param {WebSocketServer} server */
function emitClose(server) {
  server._state = CLOSED;
  server.emit('close');
}

/** @this {Socket} */
function socketOnError() {
  this.destroy();
}

module.exports = WebSocketServer;
