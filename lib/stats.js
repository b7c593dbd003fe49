'use strict';

/*
 * What WebSocketServer.stats() tells. Connections count for themselves, in their transports and in the addon, whether
 * anybody asks or not; this file adds up. WebSocketServer and WebSocket tell it what opens and closes.
 */

const { kTransport } = require('./constants');

/** @typedef {InstanceType<typeof import('./transport/base-transport').Transport>} Transport */

/** The account of one server. */
class Statistics {
  constructor() {
    this.opened = 0;
    /** Those that nobody else keeps: without `clientTracking` there are no `clients`. @type {Set<any>} */
    this.untracked = new Set();
    /** Totals of connections that have closed. */
    this.past = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 };
    this.closed = 0;
  }

  /**
   * @param {any} ws accepted a moment ago
   * @param {boolean} isTracked whether it is one of the server's `clients`
   */
  add(ws, isTracked) {
    this.opened++;
    ws[kTransport].statistics = this;
    if (!isTracked) this.untracked.add(ws);
  }

  /** @param {any} ws about to emit `close` */
  remove(ws) {
    this.closed++;
    ws[kTransport].statistics = null;
    this.untracked.delete(ws);
    addUp(this.past, ws[kTransport]);
  }

  /**
   * @param {Iterable<any>} tracked
   * @returns {object} see WebSocketServer.stats()
   */
  read(tracked) {
    const totals = { ...this.past };
    const transports = { event_loop: 0, io_threads: 0, stream: 0 };
    let queuedBytes = 0;
    for (const websockets of [tracked, this.untracked]) {
      for (const ws of websockets) {
        // Another server's, put there by hand; or closed, and not deleted yet.
        if (ws[kTransport]?.statistics !== this) continue;
        const transport = /** @type {Transport} */ (ws[kTransport]);
        transports[transport.kind]++;
        queuedBytes += transport.queuedBytes;
        addUp(totals, transport);
      }
    }
    return {
      connections: this.opened - this.closed,
      connectionsOpened: this.opened,
      transports,
      ...totals,
      queuedBytes
    };
  }
}

/**
 * @param {Statistics['past']} totals
 * @param {Transport} transport
 */
function addUp(totals, { receivedTotal, messagesReceived, messagesSent, writtenTotal }) {
  totals.messagesReceived += messagesReceived;
  totals.messagesSent += messagesSent;
  totals.bytesReceived += receivedTotal;
  totals.bytesSent += writtenTotal;
}

module.exports = { Statistics };
