'use strict';

/*
 * Connections of an http.Server that exist in memory only: the bytes that Node writes in response to others, and the parser that
 * it uses, are those of the running version. Only node-responses.js creates them.
 */

const { Duplex } = require('stream');

/** @typedef {import('./http-server').AnyServer} AnyServer */

class Probe extends Duplex {
  constructor() {
    super();
    /** @type {Buffer[]} */
    this.chunks = [];
    /** Milliseconds of the last call of setTimeout(); 0: none. */
    this.silence = 0;
    /** Set by Node. @type {any} */
    this.parser = undefined;
    /** Set by Node: the response that is being written. @type {any} */
    this._httpMessage = undefined;
  }

  _read() {}

  /**
   * @param {Buffer} chunk
   * @param {string} _encoding
   * @param {() => void} callback
   */
  _write(chunk, _encoding, callback) {
    this.chunks.push(chunk);
    callback();
  }

  /** @param {number} milliseconds */
  setTimeout(milliseconds) {
    this.silence = milliseconds;
    return this;
  }

  /** @returns {Buffer} the bytes that Node has written */
  get output() {
    return Buffer.concat(this.chunks);
  }
}

/**
 * Passes a connection to a server, as programs do with a Duplex of their own.
 *
 * @param {AnyServer} server
 * @returns {Probe}
 */
function connectProbe(server) {
  const probe = new Probe();
  server.emit('connection', probe);
  return probe;
}

module.exports = { connectProbe };
