'use strict';

/*
 * From records to events: empties a connection's queue into its handler, in order, whatever the listeners
 * do (throw, re-enter, ask for one event per macrotask). Used by the transports and by Receiver.
 */

const { RecordQueue } = require('./records');
const { PONG } = require('../native').RecordKind;

/**
 * @typedef {Object} RecordHandler
 * @property {(head: number, payload: any, detail: any) => void} handleRecord called for each event
 * @property {() => void} handleIdle called when all events read so far have been emitted
 */

class Delivery {
  /**
   * @param {import('../native').Connection} connection
   * @param {RecordHandler} handler
   * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
   */
  constructor(connection, handler, isSynchronous) {
    this.connection = connection;
    this.handler = handler;
    this.isSynchronous = isSynchronous;
    this.queue = new RecordQueue();
    /** Whether an event is being emitted, or waits for its macrotask. */
    this.isBusy = false;
  }

  get isIdle() {
    return !this.isBusy && this.queue.isEmpty;
  }

  /**
   * Reads records and emits what is in turn.
   *
   * @param {number} count readable records
   */
  read(count) {
    this.queue.read(this.connection, count);
    this.drain();
  }

  /** Emits what is in turn. */
  drain() {
    if (!this.isBusy) this.emitWhile(false);
  }

  /**
   * @param {boolean} hasTurn whether this macrotask belongs to the first event of the queue
   */
  emitWhile(hasTurn) {
    const { handler, queue } = this;
    let isInterrupted = true;
    this.isBusy = true;
    try {
      while (!queue.isEmpty) {
        // MESSAGE, PING and PONG are the kinds that may have to wait; the others go with what they follow.
        if (!this.isSynchronous && !hasTurn && (queue.peek() & 0xff) <= PONG) {
          setImmediate(() => this.emitWhile(true));
          isInterrupted = false;
          return;
        }
        hasTurn = false;
        const { head, payload, detail } = queue.shift();
        handler.handleRecord(head, payload, detail);
      }
      isInterrupted = false;
    } finally {
      // A listener's exception goes its way; the events behind it come in a later macrotask.
      if (isInterrupted) setImmediate(() => this.emitWhile(false));
    }
    this.isBusy = false;
    handler.handleIdle();
  }
}

module.exports = { Delivery };
