'use strict';

/*
 * Options of redirected requests. Credentials are not sent to another server than that of the first request. Only handshake.js
 * uses it.
 */

class Redirects {
  /**
   * @param {any} ws gets the `_original...` properties of ws
   * @param {any} options of the program; not changed
   * @param {import('./url').Target} target of the first request
   */
  constructor(ws, options, target) {
    ws._originalIpc = target.isIpc;
    ws._originalSecure = target.isSecure;
    ws._originalHostOrSocketPath = target.isIpc ? target.socketPath : target.hostAndPort;
    this.origin = target;
    /** Options of the requests after the first, with header names in lower case. */
    const headers = options && options.headers;
    this.options = { ...options, headers: {} };
    for (const [name, value] of Object.entries(headers || {})) {
      this.options.headers[name.toLowerCase()] = value;
    }
  }

  /**
   * Removes credentials from a request to another host, or from a secure to an insecure one.
   *
   * @param {any} options of the request; changed
   * @param {import('./url').Target} target
   */
  dropCredentials(options, target) {
    const { origin } = this;
    const isSameHost =
      target.isIpc === origin.isIpc &&
      (target.isIpc
        ? target.socketPath === origin.socketPath
        : target.hostAndPort === origin.hostAndPort);
    const isLessSecure = origin.isSecure && !target.isSecure;
    if (isSameHost && !isLessSecure) return;

    delete options.headers.authorization;
    delete options.headers.cookie;
    if (!isSameHost) delete options.headers.host;
    options.auth = undefined;
  }

  /**
   * Sends the user info of a URL with the following requests, unless they have an Authorization header.
   *
   * @param {string | undefined} auth `user:password`
   */
  keepAuth(auth) {
    if (auth && !this.options.headers.authorization) {
      this.options.headers.authorization = `Basic ${Buffer.from(auth).toString('base64')}`;
    }
  }
}

module.exports = { Redirects };
