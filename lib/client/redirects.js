'use strict';

/*
 * What a client may take along when it is redirected: credentials stay with the server they were meant for.
 * Used by client-handshake.js alone.
 */

class Redirects {
  /**
   * @param {any} ws gets the properties that ws keeps of the first request
   * @param {any} options the user's; not changed
   * @param {import('./url').Target} target of the first request
   */
  constructor(ws, options, target) {
    ws._originalIpc = target.isIpc;
    ws._originalSecure = target.isSecure;
    ws._originalHostOrSocketPath = target.isIpc ? target.socketPath : target.hostAndPort;
    this.origin = target;
    /** The user's options for the requests after the first, names of headers in lower case. */
    const headers = options && options.headers;
    this.options = { ...options, headers: {} };
    for (const [name, value] of Object.entries(headers || {})) {
      this.options.headers[name.toLowerCase()] = value;
    }
  }

  /**
   * Removes from a redirected request what its target may not see.
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
   * Keeps the user info of an address for the requests that follow, unless they have an Authorization header.
   *
   * @param {string | undefined} auth
   */
  keepAuth(auth) {
    if (auth && !this.options.headers.authorization) {
      this.options.headers.authorization = `Basic ${Buffer.from(auth).toString('base64')}`;
    }
  }
}

module.exports = { Redirects };
