'use strict';

/*
 * The options `maxBackpressure` and `closeOnBackpressureLimit`: a bound on the bytes that are queued for one peer. send.js calls
 * admitMessage() and admitControl() before a frame is queued, and passes the callback of an admitted message through observe().
 * Connections without the options have no Backpressure.
 *
 * The queue is measured only when the bytes since the last measurement could fill it, because measuring writes it to the kernel.
 */

const { createError } = require('../errors');
const { isBlob } = require('../validation');
const { noteCause } = require('../diagnostics');
const { toBuffer } = require('../buffer-util');
const { nextTick } = require('../node/schedule');

/** Longest header of a frame: two bytes, a length of eight and a masking key. */
const HEADER_LENGTH = 14;

/** @typedef {((error?: Error | null) => void) | undefined} Callback */

/** The bound on the output queue of one WebSocket. */
class Backpressure {
  /**
   * @param {any} websocket
   * @param {number} limit `maxBackpressure`: bytes that may be queued, headers of frames included
   * @param {boolean} closes `closeOnBackpressureLimit`: a message that does not fit ends the connection
   */
  constructor(websocket, limit, closes) {
    this.websocket = websocket;
    this.limit = limit;
    this.closes = closes;
    /** Bytes that may be queued before the queue is measured again. */
    this.budget = limit / 2;
    /** True from a queue of more than half the limit until 'drain'. */
    this.isFull = false;
    /** True within a fragmented message whose first fragment was admitted, or dropped. */
    this.isFragmented = false;
    /** True if the remaining fragments of the message are dropped. */
    this.isDropping = false;
  }

  /**
   * Decides about a message or a fragment of one. A refused one is dropped, with a 'dropped' event, or ends the connection.
   *
   * @param {any} data argument of WebSocket.send()
   * @param {boolean} isBinary
   * @param {boolean} isLast true for the last fragment
   * @returns {boolean} false: it must not be queued
   * @throws {TypeError} on data that cannot be sent
   */
  admitMessage(data, isBinary, isLast) {
    const isContinuation = this.isFragmented;
    this.isFragmented = !isLast;
    if (isContinuation && this.isDropping) {
      this.isDropping = !isLast;
      return false;
    }
    if (this.fits(byteLength(data) + HEADER_LENGTH)) return true;
    // The peer has the first part of the message already, or will have it.
    if (this.closes || isContinuation) {
      this.end();
    } else {
      this.isDropping = !isLast;
      this.websocket.emit('dropped', data, isBinary);
    }
    return false;
  }

  /**
   * Decides about a ping or a pong. A refused one is dropped, or ends the connection.
   *
   * @param {any} data
   * @returns {boolean} false: it must not be queued
   * @throws {TypeError} on data that cannot be sent
   */
  admitControl(data) {
    if (this.fits(byteLength(data) + HEADER_LENGTH)) return true;
    if (this.closes) this.end();
    return false;
  }

  /**
   * Calls the callback of a refused frame.
   *
   * @param {Callback} callback
   */
  reject(callback) {
    if (typeof callback === 'function') nextTick(callback, createError('BACKPRESSURE'));
  }

  /**
   * Observes the end of an admitted message while the queue is above half the limit, in order to emit 'drain'.
   *
   * @param {Callback} callback
   * @returns {Callback} to be called in its place
   */
  observe(callback) {
    if (!this.isFull) return callback;
    return (error) => {
      try {
        if (typeof callback === 'function') callback(error);
      } finally {
        if (!error) this.checkDrain();
      }
    };
  }

  /** @param {number} length @returns {boolean} true if the queue has room for so many bytes, which count from now on */
  fits(length) {
    if (length <= this.budget) {
      this.budget -= length;
      return true;
    }
    const queued = this.websocket.bufferedAmount + length;
    if (queued > this.limit) return false;
    this.isFull ||= queued > this.limit / 2;
    this.budget = (this.isFull ? this.limit : this.limit / 2) - queued;
    return true;
  }

  /** Emits 'drain' if the queue has emptied below half the limit. */
  checkDrain() {
    const { isFull, limit, websocket } = this;
    if (!isFull || websocket.readyState !== websocket.OPEN) return;
    const queued = websocket.bufferedAmount;
    if (queued >= limit / 2) return;
    this.isFull = false;
    this.budget = limit / 2 - queued;
    websocket.emit('drain');
  }

  /** Ends the connection. */
  end() {
    noteCause(this.websocket, 'maxBackpressure');
    this.websocket.terminate();
  }
}

/**
 * Number of bytes of an argument of WebSocket.send().
 *
 * @param {any} data
 * @returns {number}
 * @throws {TypeError} on data that cannot be sent
 */
function byteLength(data) {
  if (!data) return 0;
  if (typeof data === 'string') return Buffer.byteLength(data);
  return isBlob(data) ? data.size : toBuffer(data).length;
}

module.exports = { Backpressure };
