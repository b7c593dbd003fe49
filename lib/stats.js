'use strict';

/*
 * Totals of WebSocketServer.stats(). Transports and the addon count the messages and bytes of each connection; this file sums
 * them, and counts nothing per message. WebSocketServer adds connections, WebSocket removes them.
 */

const { kTransport } = require('./constants');

/** @typedef {InstanceType<typeof import('./transport/base-transport').Transport>} Transport */

/** The totals of one server. */
class Statistics {
  constructor() {
    this.opened = 0;
    /** Open connections of a server without `clients` (`clientTracking: false`). @type {Set<any>} */
    this.untracked = new Set();
    /** Totals of closed connections. */
    this.closedTotals = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 };
    this.closed = 0;
    /** Called with each connection that has ended; set by shutdown(). @type {((ws: any) => void) | null} */
    this.onRemove = null;
  }

  /** @param {any} ws open @param {boolean} isTracked true if it is in `clients` of the server */
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
    addTotals(this.closedTotals, ws[kTransport]);
    this.onRemove?.(ws);
  }

  /**
   * @param {Iterable<any>} tracked `clients` of the server
   * @returns {object} ServerStatistics of index.d.ts
   */
  read(tracked) {
    const totals = { ...this.closedTotals };
    const transports = { event_loop: 0, io_threads: 0, stream: 0 };
    let queuedBytes = 0;
    for (const websockets of [tracked, this.untracked]) {
      for (const ws of websockets) {
        // Skips WebSockets that the program has added, and closed ones that are not deleted yet.
        if (ws[kTransport]?.statistics !== this) continue;
        const transport = /** @type {Transport} */ (ws[kTransport]);
        transports[transport.kind]++;
        queuedBytes += transport.queuedBytes;
        addTotals(totals, transport);
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

/** @param {Statistics['closedTotals']} totals @param {Transport} transport */
function addTotals(totals, { receivedTotal, messagesReceived, messagesSent, writtenTotal }) {
  totals.messagesReceived += messagesReceived;
  totals.messagesSent += messagesSent;
  totals.bytesReceived += receivedTotal;
  totals.bytesSent += writtenTotal;
}

module.exports = { Statistics };
