'use strict';

/*
 * What a client's address says: where to connect and what to ask for. Used by client-handshake.js for the
 * first address and for redirects. No connection is made here.
 */

const querystring = require('querystring');
const { URL } = require('url');

const { createError } = require('../errors');

/**
 * @typedef {Object} Target
 * @property {boolean} isSecure
 * @property {boolean} isIpc
 * @property {string} host name or address, without brackets
 * @property {string} hostAndPort as in the URL; identifies the server
 * @property {string | number} port
 * @property {number} defaultPort
 * @property {string} path request target
 * @property {string | undefined} socketPath of an IPC server
 * @property {string | undefined} auth `user:password` of the URL
 */

/** Scheme of the HTTP family: the one it stands for. */
const EQUIVALENT = new Map([
  ['http:', 'ws:'],
  ['https:', 'wss:']
]);

/**
 * @param {any} address a string, a URL (not changed), or what can be turned into one
 * @returns {URL}
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
 * @throws {SyntaxError} if one cannot connect there
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
    // The path of the socket, and after a colon the path to request.
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
