'use strict';

/*
 * The opening handshake of a client (RFC 6455, section 4.1) over http.request(): from the arguments of the constructor to
 * setSocket(), or to `error` and `close`. Only websocket.js calls it.
 */

const http = require('http');
const https = require('https');
const { URL } = require('url');

const PerMessageDeflate = require('../permessage-deflate');
const extension = require('../extension');
const { CLOSING, CONNECTING } = require('../constants');
const { Redirects } = require('./redirects');
const { acceptKey } = require('../native');
const { completeOptions, resolveOptions, selectRequestOptions } = require('./request');
const { createError } = require('../errors');
const { hasLimits } = require('../connection/limits');
const { publishError } = require('../diagnostics');
const { createTarget, parseUrl } = require('./url');
const { createTimeLimits } = require('../transport/time-limits');
const { nextTick } = require('../node/schedule');

/** Marks an aborted request, whose errors are ignored. */
const kAborted = Symbol('aborted');

/** @typedef {any} WebSocket */
/** @typedef {import('./request').Offer} Offer */
/** @typedef {Parameters<typeof createError>[0]} ErrorName */
/** @typedef {import('http').ClientRequest & { [kAborted]?: boolean }} Request */

/**
 * Starts the handshake. The request has been created on return.
 *
 * @param {WebSocket} ws
 * @param {any} address
 * @param {any} protocols a name, an array of names, or in their place `options`
 * @param {any} options of the program
 * @returns {any} the resolved options
 * @throws {SyntaxError} on an invalid URL or subprotocol
 * @throws {RangeError | TypeError} on an invalid option
 */
function connect(ws, address, protocols, options) {
  const isOptions =
    typeof protocols === 'object' && protocols !== null && !Array.isArray(protocols);
  if (isOptions) options = protocols;
  let offered = isOptions || protocols === undefined ? options?.protocols : protocols;
  if (offered === undefined) offered = [];
  else if (!Array.isArray(offered)) offered = [offered];
  return new ClientHandshake(ws, offered, options).request(address);
}

class ClientHandshake {
  /**
   * @param {WebSocket} ws
   * @param {any[]} protocols
   * @param {any} options of the program
   */
  constructor(ws, protocols, options) {
    this.ws = ws;
    this.protocols = protocols;
    this.options = options;
    /** @type {InstanceType<typeof Redirects> | null} */
    this.redirects = null;
  }

  /**
   * Sends a request: the first, or that of a redirect.
   *
   * @param {any} address
   * @returns {any} the resolved options
   * @throws {SyntaxError | RangeError | TypeError} only for the first request
   */
  request(address) {
    const { ws } = this;
    const own = this.redirects?.options ?? this.options;
    const options = resolveOptions(own);
    const url = parseUrl(address);
    ws._url = url.href;
    const target = createTarget(url);
    const offer = completeOptions(options, target, this.protocols);

    const isRedirect = this.redirects !== null;
    if (options.followRedirects) {
      if (this.redirects === null) this.redirects = new Redirects(ws, this.options, target);
      else if (ws.listenerCount('redirect') === 0) this.redirects.dropCredentials(options, target);
      this.redirects.keepAuth(options.auth);
    }

    /** @type {Request} */
    let req;
    try {
      const { request } = target.isSecure ? https : http;
      req = request(selectRequestOptions(options, own, target));
    } catch (error) {
      if (!isRedirect) throw error;
      // The server has chosen this target, which must not end the process.
      emitErrorAndClose(ws, error);
      return options;
    }
    ws._req = req;
    if (isRedirect) ws.emit('redirect', ws.url, req);

    if (options.timeout) {
      req.on('timeout', () => abortHandshake(ws, req, createError('HANDSHAKE_TIMEOUT')));
    }
    req.on('error', (error) => {
      if (req[kAborted] || ws._req !== req) return;
      ws._req = null;
      emitErrorAndClose(ws, error);
    });
    req.on('response', (res) => this.onResponse(req, res, options, url));
    req.on('upgrade', (res, socket, head) => {
      this.onUpgrade(res, socket, head, options, offer);
    });

    if (options.finishRequest) options.finishRequest(req, ws);
    else req.end();
    return options;
  }

  /**
   * Handles a response other than 101: a redirect, or a failure.
   *
   * @param {Request} req
   * @param {import('http').IncomingMessage} res
   * @param {any} options
   * @param {URL} url
   */
  onResponse(req, res, options, url) {
    const { ws } = this;
    const { location } = res.headers;
    const status = /** @type {number} */ (res.statusCode);
    if (location && options.followRedirects && status >= 300 && status < 400) {
      if (++ws._redirects > options.maxRedirects) {
        abortHandshake(ws, req, createError('TOO_MANY_REDIRECTS'));
      } else {
        this.redirect(req, location, url);
      }
    } else if (!ws.emit('unexpected-response', req, res)) {
      abortHandshake(ws, req, createError('UNEXPECTED_RESPONSE', status));
    }
  }

  /**
   * Follows a redirect.
   *
   * @param {Request} req the answered request
   * @param {string} location
   * @param {URL} base
   */
  redirect(req, location, base) {
    const { ws } = this;
    req.abort();
    let url;
    try {
      url = new URL(location, base);
    } catch {
      emitErrorAndClose(ws, createError('INVALID_URL', location));
      return;
    }
    try {
      createTarget(parseUrl(url));
    } catch (error) {
      ws._url = parseUrl(url).href;
      emitErrorAndClose(ws, error);
      return;
    }
    this.request(url);
  }

  /**
   * Handles a 101 response.
   *
   * @param {import('http').IncomingMessage} res
   * @param {import('stream').Duplex} socket
   * @param {Buffer} head
   * @param {any} options
   * @param {Offer} offer
   */
  onUpgrade(res, socket, head, options, offer) {
    const { ws } = this;
    ws.emit('upgrade', res);
    // A listener may have closed the WebSocket.
    if (ws.readyState !== CONNECTING) return;
    ws._req = null;

    let error = checkResponse(res.headers, offer);
    if (error === undefined) {
      // Set even if the extensions are refused, as in ws.
      const protocol = res.headers['sec-websocket-protocol'];
      if (protocol) ws._protocol = protocol;
      error = acceptExtensions(res.headers, offer);
    }
    if (error) {
      abortHandshake(ws, socket, createError(error));
      return;
    }
    if (offer.deflate?.params) {
      ws._extensions[PerMessageDeflate.extensionName] = offer.deflate;
    }
    /** @type {any} */
    const settings = {
      allowSynchronousEvents: options.allowSynchronousEvents,
      generateMask: options.generateMask,
      maxBufferedChunks: options.maxBufferedChunks,
      maxFragments: options.maxFragments,
      maxPayload: options.maxPayload,
      skipUTF8Validation: options.skipUTF8Validation
    };
    if (options.transport !== undefined) settings.transport = options.transport;
    if (options.deferReading) settings.deferReading = true;
    if (hasLimits(options)) settings.limits = options;
    const timeLimits = createTimeLimits(options);
    if (timeLimits !== undefined) settings.timeLimits = timeLimits;
    ws.setSocket(socket, head, settings);
  }
}

/**
 * Checks the headers of a 101 response.
 *
 * @param {import('http').IncomingHttpHeaders} headers
 * @param {Offer} offer
 * @returns {ErrorName | undefined} undefined: valid
 */
function checkResponse(headers, { key, offered }) {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'UPGRADE_HEADER';
  if (headers['sec-websocket-accept'] !== acceptKey(key)) return 'ACCEPT_HEADER';

  const protocol = headers['sec-websocket-protocol'];
  if (protocol === undefined) {
    if (offered.size > 0) return 'SUBPROTOCOL_MISSING';
  } else if (offered.size === 0) {
    return 'SUBPROTOCOL_UNREQUESTED';
  } else if (!offered.has(protocol)) {
    return 'SUBPROTOCOL_INVALID';
  }
  return undefined;
}

/**
 * Accepts the extension that the server has chosen.
 *
 * @param {import('http').IncomingHttpHeaders} headers
 * @param {Offer} offer its `deflate` gets the agreed parameters
 * @returns {ErrorName | undefined} undefined: accepted
 */
function acceptExtensions(headers, { deflate }) {
  const header = headers['sec-websocket-extensions'];
  if (header === undefined) return undefined;
  if (deflate === null) return 'EXTENSION_UNREQUESTED';
  try {
    const chosen = extension.parse(header);
    const names = Object.keys(chosen);
    if (names.length !== 1 || names[0] !== PerMessageDeflate.extensionName) {
      return 'EXTENSION_UNOFFERED';
    }
    deflate.accept(chosen[PerMessageDeflate.extensionName]);
    return undefined;
  } catch {
    return 'EXTENSIONS_HEADER';
  }
}

/**
 * Aborts the handshake. `error` and `close` follow asynchronously.
 *
 * @param {WebSocket} ws
 * @param {any} stream the request, or the socket after the upgrade
 * @param {Error} error
 */
function abortHandshake(ws, stream, error) {
  ws._readyState = CLOSING;
  if (stream.setHeader) {
    stream[kAborted] = true;
    stream.abort();
    // abort() does not destroy the socket of an answered request.
    if (stream.socket && !stream.socket.destroyed) stream.socket.destroy();
    nextTick(emitErrorAndClose, ws, error);
  } else {
    const emitError = ws.emit.bind(ws, 'error');
    stream.destroy(error);
    stream.once('error', (/** @type {Error} */ reason) => {
      publishError(ws, reason);
      emitError(reason);
    });
    stream.once('close', ws.emitClose.bind(ws));
  }
}

/** @param {WebSocket} ws @param {any} error */
function emitErrorAndClose(ws, error) {
  ws._readyState = CLOSING;
  ws._errorEmitted = true;
  publishError(ws, error);
  ws.emit('error', error);
  ws.emitClose();
}

module.exports = { abortHandshake, connect };
