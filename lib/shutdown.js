'use strict';

/*
 * shutdown(): ends a WebSocketServer without losing queued messages, and spreads the reconnections of its clients over a time. Exported
 * by index.js; not in ws. Uses the public methods of the server and of its connections. One timer serves all connections.
 */

const { performance } = require('perf_hooks');
const { isUint8Array } = require('util').types;

const { checkInteger, createTypeError, createValueError } = require('./options/checks');
const { clearTimeout, setTimeout } = require('./node/schedule');
const { isValidStatusCode } = require('./validation');
const { CLOSED, OPEN, kServer, kTransport } = require('./constants');

/** Default settings in milliseconds: together shorter than the 30 seconds that Kubernetes and others wait for a process. */
const OVER = 10_000;
const TIMEOUT = 10_000;
/** Longest time of a timer of Node. */
const MAX_TIME = 2 ** 31 - 1;
/** Close code Service Restart, of the registry of RFC 6455. */
const SERVICE_RESTART = 1012;
/** Longest close reason in bytes (RFC 6455, section 5.5). */
const MAX_REASON = 123;
/** Milliseconds between looks for HTTP connections that have become idle. */
const HTTP_INTERVAL = 100;

/**
 * @typedef {Object} Settings
 * @property {number} code
 * @property {string | Uint8Array} reason
 * @property {number} over milliseconds
 * @property {number} timeout milliseconds
 * @property {AbortSignal | undefined} signal
 *
 * @typedef {Object} Clock
 * @property {() => number} now milliseconds
 * @property {(callback: () => void, delay: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 *
 * @typedef {{ closed: number, lost: number, terminated: number }} Result
 */

/** @type {Clock} */
const systemClock = { now: performance.now.bind(performance), setTimeout, clearTimeout };

/** By server, so that a second call joins the first. @type {WeakMap<object, Promise<Result>>} */
const running = new WeakMap();

/**
 * Ends a server: accepts no more connections, closes the open ones one after the other, and terminates those that do not complete the
 * closing handshake in time. A second call returns the promise of the first.
 *
 * @param {any} wss a WebSocketServer
 * @param {any} [options] ShutdownOptions of index.d.ts
 * @returns {Promise<Result>} fulfilled when the server has closed. Rejected with Node's ERR_INVALID_ARG_* or ERR_OUT_OF_RANGE errors
 *   if an argument is invalid; nothing has changed then
 */
async function shutdown(wss, options = {}) {
  if (wss?.[kServer] === undefined) {
    throw createTypeError('server', 'an instance of WebSocketServer', wss);
  }
  const settings = checkOptions(options);
  let promise = running.get(wss);
  if (promise === undefined) {
    promise = new Shutdown(wss, settings, systemClock).run();
    running.set(wss, promise);
  }
  return promise;
}

/** @param {any} options @returns {Settings} @throws {TypeError | RangeError} */
function checkOptions(options) {
  if (typeof options !== 'object' || options === null) {
    throw createTypeError('options', 'of type object', options);
  }
  const {
    code = SERVICE_RESTART,
    reason = '',
    over = OVER,
    timeout = TIMEOUT,
    signal = undefined
  } = options;
  checkInteger(code, 'options.code', 1000, 4999);
  if (!isValidStatusCode(code)) {
    throw createValueError('options.code', 'must be a code that a close frame may carry', code);
  }
  if (typeof reason !== 'string' && !isUint8Array(reason)) {
    throw createTypeError('options.reason', 'of type string or an instance of Uint8Array', reason);
  }
  if (Buffer.byteLength(reason) > MAX_REASON) {
    throw createValueError('options.reason', `must have at most ${MAX_REASON} bytes`, reason);
  }
  checkInteger(over, 'options.over', 0, MAX_TIME);
  checkInteger(timeout, 'options.timeout', 0, MAX_TIME);
  if (signal !== undefined && (typeof signal !== 'object' || !('aborted' in signal))) {
    throw createTypeError('options.signal', 'an instance of AbortSignal', signal);
  }
  return { code, reason, over, timeout, signal };
}

/**
 * The time at which a connection is closed.
 *
 * @param {number} index of the connection
 * @param {number} count of all connections
 * @param {number} over milliseconds
 * @returns {number} milliseconds since the start; 0 for the first connection
 */
function dueTime(index, count, over) {
  return (index * over) / count;
}

class Shutdown {
  /**
   * @param {any} wss
   * @param {Settings} settings
   * @param {Clock} clock
   */
  constructor(wss, settings, clock) {
    this.wss = wss;
    this.settings = settings;
    this.clock = clock;
    this.startedAt = clock.now();
    /** Milliseconds since the start. Advanced by timers even if the clock stands still, as with fake clocks. */
    this.elapsed = 0;
    /** @type {any} */
    this.timer = undefined;
    /** Connections in the order in which they are closed, and the number of those that have been. @type {any[]} */
    this.queue = [];
    this.closedCount = 0;
    /** Connections that have been told to close, in order, and the number of those that have ended or were terminated. @type {{ ws: any, at: number }[]} */
    this.deadlines = [];
    this.expiredCount = 0;
    /** Connections that have not ended. */
    this.open = new Set();
    this.terminating = new WeakSet();
    /** @type {Result} */
    this.result = { closed: 0, lost: 0, terminated: 0 };
    /** The HTTP server, if it is to be closed or is being closed. @type {any} */
    this.server = null;
    this.isServerClosed = true;
    this.isClosed = false;
    this.isDone = false;
    /** Milliseconds since the start, after which HTTP requests are aborted. */
    this.httpDeadline = 0;
    this.resolve = (/** @type {Result} */ _result) => {};
    this.onAbort = () => this.abort();
  }

  /** @returns {Promise<Result>} */
  run() {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.collectConnections();
      this.stopAccepting();
      const { over, signal, timeout } = this.settings;
      this.httpDeadline = (this.queue.length > 0 ? over : 0) + timeout;
      if (signal?.aborted) this.abort();
      else signal?.addEventListener('abort', this.onAbort, { once: true });
      this.proceed();
    });
  }

  /** Finds the open connections, and has itself told of their ends. */
  collectConnections() {
    const { wss } = this;
    const { statistics } = wss[kServer];
    statistics.onRemove = (/** @type {any} */ ws) => this.handleEnd(ws);
    for (const ws of [...(wss.clients ?? []), ...statistics.untracked]) {
      if (ws.readyState === CLOSED) continue;
      this.open.add(ws);
      // A subclass may have no transport.
      if (ws[kTransport]?.statistics !== statistics) ws.once('close', () => this.handleEnd(ws));
      if (ws.readyState === OPEN) this.queue.push(ws);
      else this.deadlines.push({ ws, at: this.settings.timeout });
    }
  }

  stopAccepting() {
    const { wss } = this;
    const server = wss._server;
    wss.once('close', () => {
      this.isClosed = true;
      this.finishIfDone();
    });
    wss.close();
    if (!server) return;
    this.server = server;
    // Servers with listeners share it: the last one closes it.
    const isShared = wss.options.server && server.listenerCount('upgrade') > 0;
    if (wss.options.server && server.listening && !isShared) {
      this.isServerClosed = false;
      server.close(() => {
        this.isServerClosed = true;
        this.finishIfDone();
      });
    } else if (isShared) {
      this.server = null;
    }
  }

  /** Does all that is due, and waits for the next. */
  proceed() {
    if (this.isDone) return;
    this.elapsed = Math.max(this.elapsed, this.clock.now() - this.startedAt);
    this.closeDue();
    this.terminateDue();
    this.closeHttp();
    this.finishIfDone();
    if (this.isDone) return;
    const next = this.nextTime();
    this.timer = this.clock.setTimeout(
      () => {
        this.elapsed = Math.max(this.elapsed, next);
        this.proceed();
      },
      Math.max(1, Math.ceil(next - this.elapsed))
    );
  }

  /** @returns {number} milliseconds since the start */
  nextTime() {
    const { deadlines, expiredCount, queue, closedCount, settings } = this;
    const times = [this.elapsed + HTTP_INTERVAL];
    if (closedCount < queue.length) {
      times.push(dueTime(closedCount, queue.length, settings.over));
    }
    if (expiredCount < deadlines.length) times.push(deadlines[expiredCount].at);
    return Math.min(...times);
  }

  closeDue() {
    const { queue, settings } = this;
    const { code, over, reason, timeout } = settings;
    while (
      this.closedCount < queue.length &&
      dueTime(this.closedCount, queue.length, over) <= this.elapsed
    ) {
      const ws = queue[this.closedCount++];
      if (!this.open.has(ws)) continue;
      this.deadlines.push({ ws, at: this.elapsed + timeout });
      if (ws.readyState === OPEN) ws.close(code, reason);
    }
  }

  terminateDue() {
    const { deadlines } = this;
    for (; this.expiredCount < deadlines.length; this.expiredCount++) {
      const { ws, at } = deadlines[this.expiredCount];
      if (!this.open.has(ws)) continue;
      if (at > this.elapsed) return;
      this.terminate(ws);
    }
  }

  /** @param {any} ws */
  terminate(ws) {
    this.terminating.add(ws);
    ws.terminate();
  }

  /** Closes idle HTTP connections, in the end all. */
  closeHttp() {
    const { server } = this;
    if (server === null) return;
    if (this.elapsed < this.httpDeadline) {
      server.closeIdleConnections?.();
      return;
    }
    server.closeAllConnections?.();
    // Sockets that a program has upgraded by other means are not awaited.
    if (this.elapsed >= this.httpDeadline + HTTP_INTERVAL)
      this.isServerClosed = this.isClosed = true;
  }

  /** Terminates all connections at once. */
  abort() {
    this.elapsed = Math.max(this.elapsed, this.clock.now() - this.startedAt);
    this.closedCount = this.queue.length;
    this.httpDeadline = Math.min(this.httpDeadline, this.elapsed);
    for (const ws of [...this.open]) this.terminate(ws);
    this.closeHttp();
  }

  /** @param {any} ws a connection that emits `close` in this tick */
  handleEnd(ws) {
    if (!this.open.delete(ws)) return;
    if (ws._closeFrameReceived && ws._closeFrameSent) this.result.closed++;
    else if (this.terminating.has(ws)) this.result.terminated++;
    else this.result.lost++;
    this.finishIfDone();
  }

  finishIfDone() {
    if (this.isDone || this.open.size > 0 || !this.isClosed || !this.isServerClosed) return;
    this.isDone = true;
    this.clock.clearTimeout(this.timer);
    this.settings.signal?.removeEventListener('abort', this.onAbort);
    this.wss[kServer].statistics.onRemove = null;
    this.resolve(this.result);
  }
}

module.exports = { Shutdown, dueTime, shutdown };
