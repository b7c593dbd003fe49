'use strict';

/*
 * The option `allowedOrigins`: decides by the Origin field of a handshake (RFC 6455, section 10.2) if a page may connect. A
 * request without that field is allowed unless the program decides by a function: browsers always send it, and the attack, a
 * page that connects with the cookies of its visitor, needs a browser. Used by table.js; websocket-server.js answers.
 */

const { isRegExp } = require('util').types;

const { createTypeError, createValueError } = require('./checks');

/** @typedef {import('http').IncomingMessage} IncomingMessage */
/** @typedef {(origin: string | undefined, request: IncomingMessage) => boolean} OriginCheck */

const SAME_ORIGIN = 'same-origin';

/** Schemes whose origins the URL parser normalizes. Browsers send no other of them than these in an Origin field. */
const WEB_ORIGIN = /^https?:/i;
/** An origin of any other scheme, such as that of a browser extension; `null` for opaque ones. */
const OTHER_ORIGIN = /^(?:null|(?!(?:wss?|ftp):)[a-z][a-z0-9+.-]*:\/\/[^\s/?#]*)$/;
/** A Host field without parts that would move the host of a URL. */
const HOST = /^[^\s/?#@\\]+$/;

/**
 * Compiles the option.
 *
 * @param {any} value 'same-origin', an origin, an array of these and of RegExps, or a function
 * @param {string} name of the option, for errors
 * @returns {OriginCheck} true: the request is accepted
 * @throws {TypeError}
 */
function compileOrigins(value, name) {
  if (typeof value === 'function') {
    // Only `true`: the promise of an async function must not accept every origin.
    return (origin, request) => value(origin, request) === true;
  }
  if (typeof value !== 'string' && !Array.isArray(value)) {
    throw createTypeError(name, 'of type string or function or an instance of Array', value);
  }
  const list = typeof value === 'string' ? [value] : value;
  /** @type {Set<string>} */
  const origins = new Set();
  /** @type {RegExp[]} */
  const patterns = [];
  let allowsSame = false;
  for (let index = 0; index < list.length; index++) {
    const entry = list[index];
    const entryName = list === value ? `${name}[${index}]` : name;
    if (entry === SAME_ORIGIN) allowsSame = true;
    else if (typeof entry === 'string') origins.add(checkOrigin(entry, entryName));
    // A copy: programs may use, and so move, a global one.
    else if (isRegExp(entry)) patterns.push(new RegExp(entry.source, entry.flags));
    else throw createTypeError(entryName, 'of type string or an instance of RegExp', entry);
  }
  return (origin, request) =>
    origin === undefined ||
    origins.has(origin) ||
    (allowsSame && isSameOrigin(origin, request)) ||
    patterns.some((pattern) => matches(pattern, origin));
}

/**
 * Rejects a string that no browser sends: it would never match.
 *
 * @param {string} origin
 * @param {string} name for errors
 * @returns {string} `origin`
 * @throws {TypeError}
 */
function checkOrigin(origin, name) {
  const isValid = WEB_ORIGIN.test(origin) ? originOf(origin) === origin : OTHER_ORIGIN.test(origin);
  if (isValid) return origin;
  const example = "such as 'https://example.com', without a path or a default port";
  throw createValueError(name, `must be 'same-origin' or an origin, ${example}`, origin);
}

/**
 * Compares an origin with that of the server's own pages. Behind a proxy the socket and the Host field may be others than those that the
 * browser has: no forwarded field is read, because any client can send it.
 *
 * @param {string} origin
 * @param {IncomingMessage} request
 * @returns {boolean}
 */
function isSameOrigin(origin, { headers: { host }, socket }) {
  if (host === undefined || !HOST.test(host)) return false;
  const url = `${/** @type {any} */ (socket).encrypted ? 'https' : 'http'}://${host}`;
  return url === origin || originOf(url) === origin;
}

/** @param {string} url @returns {string | null} its serialized origin; null: it is invalid */
function originOf(url) {
  try {
    return new URL(url).origin;
  } catch {
    return null;
  }
}

/** @param {RegExp} pattern @param {string} origin @returns {boolean} independent of earlier calls */
function matches(pattern, origin) {
  pattern.lastIndex = 0;
  return pattern.test(origin);
}

module.exports = { compileOrigins };
