'use strict';

/*
 * The URL of a client: where to connect, and the request target. handshake.js uses it for the first URL and for redirects.
 */

const querystring = require('querystring');
const { URL } = require('url');

const { createError } = require('../errors');

/**
 * @typedef {Object} Target
 * @property {boolean} isSecure
 * @property {boolean} isIpc
 * @property {string} host name or IP address, without brackets
 * @property {string} hostAndPort as in the URL; compared on redirects
 * @property {string | number} port
 * @property {number} defaultPort
 * @property {string} path request target
 * @property {string | undefined} socketPath of an IPC server
 * @property {string | undefined} auth `user:password` of the URL
 */

/** HTTP schemes, and the WebSocket schemes that they are replaced by. */
const EQUIVALENT = new Map([
  ['http:', 'ws:'],
  ['https:', 'wss:']
]);

/**
 * @param {any} address a string, a URL (not changed), or an object that converts to a string
 * @returns {URL} with a WebSocket scheme in place of an HTTP one
 * @throws {SyntaxError}
 */
function parseUrl(address) {
  let url = address;
  if (!(address instanceof URL)) {
    try {
      url = new URL(address);
    } catch {
      throw createError('INVALID_URL', address);
    }
  }
  const scheme = EQUIVALENT.get(url.protocol);
  if (scheme === undefined) return url;
  url = new URL(url);
  url.protocol = scheme;
  return url;
}

/**
 * @param {URL} url
 * @returns {Target}
 * @throws {SyntaxError} on another scheme, an empty socket path, or a fragment
 */
function createTarget(url) {
  const isSecure = url.protocol === 'wss:';
  const isIpc = url.protocol === 'ws+unix:';
  if (!isSecure && !isIpc && url.protocol !== 'ws:') throw createError('URL_PROTOCOL');
  if (isIpc && !url.pathname) throw createError('URL_PATHNAME');
  if (url.hash) throw createError('URL_FRAGMENT');

  const defaultPort = isSecure ? 443 : 80;
  let path = url.pathname + url.search;
  let socketPath;
  if (isIpc) {
    // `<socket path>:<request path>`
    const colon = path.indexOf(':');
    socketPath = colon === -1 ? path : path.slice(0, colon);
    path = colon === -1 ? '' : path.slice(colon + 1);
  }
  let auth;
  if (url.username || url.password) {
    auth = `${querystring.unescape(url.username)}:${querystring.unescape(url.password)}`;
  }

  return {
    isSecure,
    isIpc,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    hostAndPort: url.host,
    port: url.port || defaultPort,
    defaultPort,
    path,
    socketPath,
    auth
  };
}

module.exports = { createTarget, parseUrl };
