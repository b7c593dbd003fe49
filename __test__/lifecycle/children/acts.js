'use strict';

// Actions of a program within an event, most of which end the connection, and a log of the events before and after. Used by
// terminate.js. The events are in situations.js.

const { Trace } = require('../../differential/trace');

/** Events of a WebSocket, all of which are logged. */
const EVENTS = [
  'upgrade',
  'redirect',
  'unexpected-response',
  'open',
  'message',
  'ping',
  'pong',
  'error',
  'close'
];

/** @type {Record<string, (ws: any) => void>} */
const ACTS = {
  nothing: () => {},
  terminate: (ws) => ws.terminate(),
  close: (ws) => ws.close(1000, 'act'),
  destroy: (ws) => ws._socket?.destroy(),
  'close and terminate': (ws) => {
    ws.close();
    ws.terminate();
  },
  'send and terminate': (ws) => {
    if (ws.readyState === ws.OPEN) ws.send('last words', () => {});
    ws.terminate();
    ws.terminate();
  },
  throw: () => {
    throw new Error('thrown by a listener');
  }
};

/** One situation in which one act is done once. */
class Log {
  trace = new Trace();
  #isDone = false;
  #seen = 0;

  /**
   * @param {string} act of ACTS
   * @param {string} event the event in which it is done
   * @param {number} nth the count of these events, from 1
   */
  constructor(act, event, nth) {
    this.act = ACTS[act];
    /** True if the peer must end the connection. */
    this.isPassive = act === 'nothing' || act === 'throw';
    /** The socket closes in its own time, as do compressed messages. */
    this.hasNoState = act === 'destroy';
    this.event = event;
    this.nth = nth;
  }

  /** @param {string} line */
  line(line) {
    this.trace.line('subject', line);
  }

  /** Reports an event of `ws`, and acts if its turn has come. @param {string} event @param {any} ws */
  happened(event, ws) {
    if (event !== this.event || ++this.#seen !== this.nth || this.#isDone) return;
    this.#isDone = true;
    this.line('(act');
    try {
      this.act(ws);
    } finally {
      this.line(`act) ${ws.readyState}`);
    }
  }

  /** @param {any} ws @returns {Promise<void>} resolves when it has closed */
  watch(ws) {
    this.websocket = ws;
    // Before the listeners that throw.
    const closed = new Promise((resolve) => ws.once('close', resolve));
    for (const event of EVENTS) {
      // With a listener for these two events, the listener must end the request.
      if (event === 'redirect' || event === 'unexpected-response') {
        if (this.event !== event) continue;
      }
      ws.on(event, (...args) => {
        this.trace.event('subject', event, args, this.hasNoState ? undefined : ws);
        this.happened(event, ws);
      });
    }
    return closed;
  }

  /** @returns {boolean} true if the event came and the act was done */
  get isDone() {
    return this.#isDone;
  }

  lines() {
    return this.trace.lines();
  }
}

module.exports = { ACTS, Log };
