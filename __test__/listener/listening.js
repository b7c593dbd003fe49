'use strict';

// A listening socket of the addon, driven without a WebSocketServer, and its arrivals. Used by the tests of this folder.

const { once, EventEmitter } = require('node:events');
const net = require('node:net');

const native = require('../../lib/native.js');

const records = new Uint32Array(native.environment.records());

/** Reasons to fall back; their numbers are in `listen()` of binding.d.ts. */
const ASIDE = { 1: 'other', 2: 'ended', 3: 'late', 4: 'closed' };

/**
 * A connection whose request is complete.
 *
 * @typedef {object} Arrival
 * @property {number} number
 * @property {string} [head] a request to upgrade
 * @property {string[]} [rawHeaders] its header fields, as in http.IncomingMessage
 * @property {string} [aside] the reason of a fallback
 * @property {string} rest other bytes that were read, one per character
 */

class Listening extends EventEmitter {
  /**
   * @param {import('node:test').TestContext} t closes it with the test
   * @param {object} [options] arguments of `listen()`
   */
  constructor(t, options) {
    super();
    this.listener = native.createListener();
    /** @type {Arrival[]} those that no test has asked for yet */
    this.arrivals = [];
    const { path, ...others } = options ?? {};
    this.handle = bind(path);
    this.error = this.listen(others);
    t.after(() => this.close(false));
  }

  /** @param {object} [options] */
  listen(options) {
    return this.listener.listen(
      { fd: this.handle.fd, backlog: 511, maxHeaderSize: 16384, ...options },
      this,
      (self, number, head, detail, rest) => {
        const text = rest === undefined ? '' : rest.latin1Slice();
        const said =
          head === undefined
            ? { aside: ASIDE[detail] }
            : { head, rawHeaders: fieldsOf(head, detail) };
        self.arrivals.push({ number, ...said, rest: text });
        self.emit('arrival');
      },
      () => false
    );
  }

  /** Closes its own descriptor and that of Node's handle. @param {boolean} fallBack */
  close(fallBack) {
    this.listener.close(fallBack);
    this.handle.close();
  }

  get port() {
    return this.listener.address().port;
  }

  /** Waits for the next connection with a complete request. @returns {Promise<Arrival>} */
  async next() {
    while (this.arrivals.length === 0) await once(this, 'arrival');
    return this.arrivals.shift();
  }

  /** Connects a client. */
  async connect() {
    const client = net.connect(this.port, '127.0.0.1');
    await once(client, 'connect');
    return client;
  }

  /** Waits until all clients that connected before are accepted. */
  async acceptPending() {
    const client = await this.connect();
    client.write('?');
    this.listener.discard((await this.next()).number);
    await once(client, 'close');
  }

  /** Hands a connection to Node. @param {number} number */
  release(number) {
    return new net.Socket({ fd: this.listener.release(number), readable: true, writable: true });
  }
}

/** A bound handle of Node. @param {string} [path] of a Unix socket; 127.0.0.1 by default */
function bind(path) {
  const create = /** @type {any} */ (net)._createServerHandle;
  return path === undefined ? create('127.0.0.1', 0, 4) : create(path, -1, -1);
}

/** Names and values, at the offsets from the addon. @param {string} head @param {number} count */
function fieldsOf(head, count) {
  return Array.from({ length: 2 * count }, (_, index) =>
    head.slice(records[4 + 2 * index], records[5 + 2 * index])
  );
}

module.exports = { Listening, bind };
