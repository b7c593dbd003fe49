'use strict';

/*
 * The HTTP request of a client's opening handshake (RFC 6455, section 4.1): options, headers and socket. handshake.js sends it
 * and checks the response.
 */

const http = require('http');
const net = require('net');
const tls = require('tls');
const { randomBytes } = require('crypto');

const PerMessageDeflate = require('../permessage-deflate');
const extension = require('../extension');
const { CLOSE_TIMEOUT, DEFAULT_LIMITS } = require('../constants');
const { CLIENT_OPTIONS, readSettings } = require('../options/table');
const { checkMode } = require('../transport/mode');
const { createError } = require('../errors');

const SUBPROTOCOL_PATTERN = /^[!#$%&'*+\-.0-9A-Z^_`a-z|~]+$/;

/** Handshake keys that are drawn from the random source at a time. */
const KEYS = 64;
/** Length of a handshake key in bytes. */
const KEY_LENGTH = 16;

/** Random bytes for the next handshake keys, those before `used` excepted. */
let pool = Buffer.alloc(0);
let used = 0;

/** @returns {string} a value of Sec-WebSocket-Key */
function createKey() {
  if (used + KEY_LENGTH > pool.length) {
    pool = randomBytes(KEYS * KEY_LENGTH);
    used = 0;
  }
  return pool.toString('base64', used, (used += KEY_LENGTH));
}

/**
 * Merges the options of the program with defaults, and with the options of `http.request()` that the URL determines. One literal
 * with one spread: V8 copies it as a whole.
 *
 * @param {any} options
 * @returns {any} a new object
 * @throws {RangeError} on an unknown protocol version
 * @throws {TypeError} on an unknown transport
 */
function resolveOptions(options) {
  const { maxBufferedChunks, maxFragments, maxPayload, maxPendingAutoPongs } = DEFAULT_LIMITS;
  const resolved = {
    allowSynchronousEvents: true,
    autoPong: true,
    closeTimeout: CLOSE_TIMEOUT,
    protocolVersion: 13,
    maxBufferedChunks,
    maxFragments,
    maxPayload,
    maxPendingAutoPongs,
    skipUTF8Validation: false,
    perMessageDeflate: true,
    followRedirects: false,
    maxRedirects: 10,
    ...options,
    socketPath: undefined,
    hostname: undefined,
    protocol: undefined,
    protocols: undefined,
    timeout: undefined,
    method: 'GET',
    host: undefined,
    path: undefined,
    port: undefined
  };
  if (resolved.protocolVersion !== 8 && resolved.protocolVersion !== 13) {
    throw createError('PROTOCOL_VERSION', resolved.protocolVersion);
  }
  checkMode(resolved.transport);
  readSettings(resolved, 'client');
  return resolved;
}

/**
 * The offer of a request, to check the response against.
 *
 * @typedef {Object} Offer
 * @property {InstanceType<typeof PerMessageDeflate> | null} deflate null: not offered
 * @property {string} key Sec-WebSocket-Key
 * @property {Set<string>} offered subprotocols
 */

/**
 * Completes resolved options to options of `http.request()`.
 *
 * @param {any} options changed
 * @param {import('./url').Target} target
 * @param {any[]} protocols
 * @returns {Offer}
 * @throws {SyntaxError} on an invalid or repeated subprotocol
 */
function completeOptions(options, target, protocols) {
  const key = createKey();
  const offered = checkSubprotocols(protocols);

  options.createConnection ||= target.isSecure ? connectTls : connectPlain;
  options.defaultPort ||= target.defaultPort;
  options.host = target.host;
  options.path = target.path;
  options.port = target.port;
  options.socketPath = target.socketPath;
  options.timeout = options.handshakeTimeout;
  if (target.auth !== undefined) options.auth = target.auth;

  options.headers = {
    ...options.headers,
    'Sec-WebSocket-Version': options.protocolVersion,
    'Sec-WebSocket-Key': key,
    Connection: 'Upgrade',
    Upgrade: 'websocket'
  };
  let deflate = null;
  if (options.perMessageDeflate) {
    const { maxPayload, perMessageDeflate } = options;
    deflate = new PerMessageDeflate({ ...perMessageDeflate, isServer: false, maxPayload });
    options.headers['Sec-WebSocket-Extensions'] = extension.format({
      [PerMessageDeflate.extensionName]: deflate.offer()
    });
  }
  if (protocols.length > 0) options.headers['Sec-WebSocket-Protocol'] = protocols.join(',');
  if (options.origin) {
    options.headers[options.protocolVersion < 13 ? 'Sec-WebSocket-Origin' : 'Origin'] =
      options.origin;
  }
  return { deflate, key, offered };
}

/**
 * @param {any[]} protocols
 * @returns {Set<string>}
 * @throws {SyntaxError}
 */
function checkSubprotocols(protocols) {
  const names = new Set();
  for (const name of protocols) {
    if (typeof name !== 'string' || !SUBPROTOCOL_PATTERN.test(name) || names.has(name)) {
      throw createError('SUBPROTOCOL');
    }
    names.add(name);
  }
  return names;
}

/** Options of the WebSocket constructor that neither `http.request()` nor `net.connect()` knows, or that have a place below. */
const OWN_OPTIONS = new Set([
  ...CLIENT_OPTIONS,
  'allowSynchronousEvents',
  'autoPong',
  'closeTimeout',
  'finishRequest',
  'followRedirects',
  'generateMask',
  'handshakeTimeout',
  'headers',
  'maxBufferedChunks',
  'maxFragments',
  'maxPayload',
  'maxPendingAutoPongs',
  'maxRedirects',
  'origin',
  'perMessageDeflate',
  'protocolVersion',
  'protocols',
  'skipUTF8Validation',
  'transport'
]);

const { request } = http;
const { connect } = net;
const { connect: connectSocket } = net.Socket.prototype;

/** @param {Function} method @param {RegExp} start */
const startsWith = (method, start) => start.test(Function.prototype.toString.call(method));

/** True if no program had replaced the functions that the options pass through when this file was loaded. */
const wereOriginal =
  startsWith(request, /^function request\(url, options, cb\) \{\s+return new ClientRequest\(/) &&
  startsWith(connect, /^function connect\(\.\.\.args\) \{\s+const normalized = normalizeArgs\(/) &&
  startsWith(connectSocket, /^function\(\.\.\.args\) \{\s+let normalized;/);

/**
 * Selects the options to pass to `http.request()`: those that Node reads, if no program can observe the others. Node copies its options
 * twice, and V8 makes slow objects of copies with more than a dozen properties, which takes a tenth of an opening.
 *
 * @param {any} options complete
 * @param {any} own the options of the program
 * @param {import('./url').Target} target
 * @returns {any} `options`, or an object with a part of them
 */
function selectRequestOptions(options, own, { isIpc, isSecure }) {
  if (isIpc || isSecure || !wereOriginal) return options;
  if (http.request !== request || net.connect !== connect) return options;
  if (net.Socket.prototype.connect !== connectSocket) return options;
  for (const name in own) if (!OWN_OPTIONS.has(name)) return options;
  const { auth, defaultPort, headers, host, method, path, port, timeout } = options;
  return {
    createConnection: connectTcp,
    auth,
    defaultPort,
    headers,
    host,
    method,
    path,
    port,
    timeout
  };
}

/** @param {any} options of selectRequestOptions() @returns {import('net').Socket} */
function connectTcp({ host, port, timeout }) {
  return net.connect({ host, port, timeout });
}

/** @param {any} options @returns {import('net').Socket} */
function connectPlain(options) {
  options.path = options.socketPath;
  return net.connect(options);
}

/** @param {any} options @returns {import('tls').TLSSocket} */
function connectTls(options) {
  options.path = undefined;
  if (!options.servername && options.servername !== '') {
    // Server names exclude IP addresses (RFC 6066, section 3).
    options.servername = net.isIP(options.host) ? '' : options.host;
  }
  return tls.connect(options);
}

module.exports = { completeOptions, resolveOptions, selectRequestOptions };
