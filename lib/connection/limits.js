'use strict';

/*
 * The limits of an open connection that ws does not have: backpressure and rates. WebSocketServer and the client's handshake
 * pass them to WebSocket.setSocket() if one is set, and their state is attached to the transport here.
 */

const { Backpressure } = require('./backpressure');
const { RateLimit } = require('./rate-limit');

/**
 * Options of lib/options/table.js, 0 or absent: unlimited.
 *
 * @typedef {Object} Limits
 * @property {number} [maxBackpressure]
 * @property {boolean} [closeOnBackpressureLimit]
 * @property {number} [maxMessagesPerSecond]
 * @property {number} [maxBytesPerSecond]
 * @property {boolean} [closeOnRateLimit]
 */

/** @param {Limits} options @returns {boolean} true if limitConnection() is needed */
function hasLimits({ maxBackpressure, maxBytesPerSecond, maxMessagesPerSecond }) {
  return !!maxBackpressure || !!maxBytesPerSecond || !!maxMessagesPerSecond;
}

/**
 * Limits a connection that has not been read yet.
 *
 * @param {any} transport
 * @param {Limits} limits
 */
function limitConnection(transport, limits) {
  const { maxBackpressure = 0, maxBytesPerSecond = 0, maxMessagesPerSecond = 0 } = limits;
  if (maxBackpressure > 0) {
    const { closeOnBackpressureLimit = false } = limits;
    transport.backpressure = new Backpressure(
      transport.websocket,
      maxBackpressure,
      closeOnBackpressureLimit
    );
  }
  if (maxBytesPerSecond > 0 || maxMessagesPerSecond > 0) {
    transport.rateLimit = new RateLimit(transport, limits);
  }
}

module.exports = { hasLimits, limitConnection };
