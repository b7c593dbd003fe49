'use strict';

/*
 * The option `handshakeTimeout` of a server: the time that a client may take for its request, where the server is created here, and
 * the time that `verifyClient` may take to answer. One timer serves all handshakes of a server. Used by websocket-server.js
 * and http-server.js.
 */

const { performance } = require('perf_hooks');

const { abortHandshake } = require('./abort-handshake');
const { setTimeout } = require('../node/schedule');

/** The original one: a test that fakes time affects its own code only. */
const now = performance.now.bind(performance);

/** Defaults of Node, which the option does not exceed, in milliseconds. */
const HEADERS_TIMEOUT = 60_000;
const REQUEST_TIMEOUT = 300_000;
const CHECKING_INTERVAL = 30_000;

/** Checks of Node within the time. */
const CHECKS = 4;

/**
 * @param {number} timeout in milliseconds
 * @returns {import('http').ServerOptions} of a server that answers late requests by 408
 */
function requestLimits(timeout) {
  return {
    headersTimeout: Math.min(timeout, HEADERS_TIMEOUT),
    requestTimeout: Math.min(timeout, REQUEST_TIMEOUT),
    connectionsCheckingInterval: Math.min(Math.ceil(timeout / CHECKS), CHECKING_INTERVAL)
  };
}

/** Handshakes of one server that wait for an answer of the program. */
class PendingHandshakes {
  /** @param {number} timeout in milliseconds */
  constructor(timeout) {
    this.timeout = timeout;
    /** Times at which they are late, by socket, in ascending order. @type {Map<import('stream').Duplex, number>} */
    this.deadlines = new Map();
    this.isArmed = false;
  }

  /**
   * Begins to wait for an answer.
   *
   * @template {any[]} A
   * @param {import('stream').Duplex} socket
   * @param {(...args: A) => void} answer
   * @returns {(...args: A) => void} answers in time only
   */
  watch(socket, answer) {
    this.deadlines.set(socket, now() + this.timeout);
    if (!this.isArmed) this.arm(this.timeout);
    return (...args) => {
      if (this.deadlines.delete(socket)) answer(...args);
    };
  }

  /** @param {number} delay */
  arm(delay) {
    this.isArmed = true;
    setTimeout(() => this.expire(), delay).unref();
  }

  /** Answers late handshakes by 408, as Node does late requests. */
  expire() {
    this.isArmed = false;
    const time = now();
    for (const [socket, deadline] of this.deadlines) {
      if (deadline > time) return this.arm(Math.ceil(deadline - time));
      this.deadlines.delete(socket);
      if (!socket.destroyed) abortHandshake(socket, 408);
    }
  }
}

/**
 * @param {{ handshakeTimeout: number }} settings
 * @returns {PendingHandshakes | null} null: there is no limit
 */
function createPendingHandshakes({ handshakeTimeout }) {
  return handshakeTimeout === 0 ? null : new PendingHandshakes(handshakeTimeout);
}

module.exports = { createPendingHandshakes, requestLimits };
