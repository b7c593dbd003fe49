'use strict';

/*
 * The options `maxMessagesPerSecond`, `maxBytesPerSecond` and `closeOnRateLimit`: token buckets of one connection, which hold one
 * second's worth. The transports call charge() after each delivery. A connection that has overdrawn a bucket is not read until the
 * bucket is even again, so that TCP slows the peer down, or it is closed with 1008.
 *
 * The addon reads such connections in pieces of `maxRead` bytes, so that a delivery overdraws a bucket by little.
 */

const { performance } = require('perf_hooks');

const { noteCause } = require('../diagnostics');
const { setTimeout } = require('../node/schedule');

/** As it is when the package is loaded: a program may fake it. */
const now = performance.now.bind(performance);

/** Bytes of the shortest frame of a client: a header and a masking key. */
const SHORTEST_FRAME = 6;

/** Bounds of `maxRead`. The addon may read four times before a delivery. */
const READS_PER_DELIVERY = 4;
const MIN_READ = 1024;
const MAX_READ = 64 * 1024;

/** Close code for a violation of a policy (RFC 6455, section 7.4.1). */
const POLICY_VIOLATION = 1008;

/**
 * @typedef {Object} Rates 0 or absent: unlimited
 * @property {number} [maxMessagesPerSecond]
 * @property {number} [maxBytesPerSecond]
 * @property {boolean} [closeOnRateLimit]
 */

/** A number of units per second, saved up for one second. Its times are milliseconds of any clock. */
class TokenBucket {
  /** @param {number} rate units per second; 0: unlimited @param {number} time */
  constructor(rate, time) {
    this.rate = rate;
    this.tokens = rate;
    this.time = time;
  }

  /**
   * Takes units, also more than there are.
   *
   * @param {number} count
   * @param {number} time
   * @returns {number} milliseconds until the bucket is even again; 0: it is not overdrawn
   */
  take(count, time) {
    const { rate } = this;
    if (rate === 0) return 0;
    const saved = this.tokens + ((time - this.time) * rate) / 1000;
    this.tokens = Math.min(rate, saved) - count;
    this.time = time;
    return this.tokens < 0 ? (-this.tokens * 1000) / rate : 0;
  }
}

/** The rate limits of one connection. */
class RateLimit {
  /** @param {any} transport @param {Rates} rates */
  constructor(transport, rates) {
    const { maxMessagesPerSecond = 0, maxBytesPerSecond = 0, closeOnRateLimit = false } = rates;
    const time = now();
    this.transport = transport;
    this.messages = new TokenBucket(maxMessagesPerSecond, time);
    this.bytes = new TokenBucket(maxBytesPerSecond, time);
    this.closes = closeOnRateLimit;
    this.maxRead = maxReadOf(rates);
    /** Totals at the last charge. */
    this.messagesCharged = 0;
    this.bytesCharged = transport.receivedTotal;
    /** True while the connection is not read. */
    this.isPausing = false;
  }

  /** Charges for the messages and bytes that have come since the last call. */
  charge() {
    const { transport } = this;
    const { messagesReceived, receivedTotal, websocket } = transport;
    const time = now();
    const delay = Math.max(
      this.messages.take(messagesReceived - this.messagesCharged, time),
      this.bytes.take(receivedTotal - this.bytesCharged, time)
    );
    this.messagesCharged = messagesReceived;
    this.bytesCharged = receivedTotal;
    if (delay === 0 || this.isPausing || websocket.readyState !== websocket.OPEN) return;

    if (this.closes) {
      noteCause(websocket, 'rateLimit');
      websocket.close(POLICY_VIOLATION, 'Rate limit exceeded');
    } else {
      this.isPausing = true;
      transport.socket.pause();
      // The socket keeps the process alive.
      setTimeout(endPause, Math.ceil(delay), this).unref();
    }
  }
}

/** Reads on. @param {RateLimit} limit */
function endPause(limit) {
  const { transport } = limit;
  limit.isPausing = false;
  if (transport.canRead && !transport.websocket.isPaused) transport.socket.resume();
}

/**
 * Bytes of one read: four of them have no more messages of the shortest length than may come within a second, but for a lower bound.
 *
 * @param {Rates} rates
 * @returns {number}
 */
function maxReadOf({ maxMessagesPerSecond = 0, maxBytesPerSecond = 0 }) {
  const most = Math.min(
    maxMessagesPerSecond * SHORTEST_FRAME || Infinity,
    maxBytesPerSecond || Infinity
  );
  return Math.min(MAX_READ, Math.max(MIN_READ, Math.floor(most / READS_PER_DELIVERY)));
}

module.exports = { RateLimit, TokenBucket, maxReadOf };
