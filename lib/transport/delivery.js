'use strict';

/*
 * From records to events: empties a connection's queue into its handler, in order, whatever the listeners
 * do (throw, re-enter, ask for one event per macrotask), and whatever has to be inflated by another thread first.
 * Used by the transports and by Receiver.
 */

const { AsyncResource } = require('async_hooks');

const native = require('../native');
const { RecordQueue } = require('./records');

const { INFLATING, PONG } = native.RecordKind;
const { COMPRESSED } = native.RecordFlag;

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
   * @param {boolean} isEager whether what was inflated may come at once, if nothing is before it
   */
  constructor(connection, handler, isSynchronous, isEager) {
    this.connection = connection;
    this.handler = handler;
    this.isSynchronous = isSynchronous;
    this.isEager = isEager;
    this.queue = new RecordQueue();
    /** Whether an event is being emitted, or waits for its macrotask. */
    this.isBusy = false;
    /** Whether the next message is being inflated. Nothing behind it has been parsed. */
    this.isInflating = false;
    /** Whether the addon delivers, which calls again when it is asked to. */
    this.isCalledAgain = false;
  }

  get isIdle() {
    return !this.isBusy && !this.isInflating && this.queue.isEmpty;
  }

  /** Whether there is more, which nothing holds up but that it is to come in a turn of its own. */
  get isWaiting() {
    return !this.isBusy && !this.queue.isEmpty;
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
    let isFirst = hasTurn || this.isEager;
    this.isBusy = true;
    try {
      while (!queue.isEmpty) {
        // MESSAGE, PING and PONG are the kinds that may have to wait; the others go with what they follow.
        if (!this.isSynchronous && !hasTurn && (queue.peek() & 0xff) <= PONG) {
          setImmediate(() => this.emitWhile(true));
          isInterrupted = false;
          return;
        }
        // What was inflated comes in a turn of its own: ticks and microtasks of what is before it run first.
        if (!isFirst && this.isSynchronous && (queue.peek() & COMPRESSED) !== 0) {
          isInterrupted = false;
          this.waitForTurn();
          return;
        }
        hasTurn = false;
        isFirst = false;
        const { head, payload, detail } = queue.shift();
        if ((head & 0xff) === INFLATING) this.inflate();
        else handler.handleRecord(head, payload, detail);
      }
      isInterrupted = false;
    } finally {
      // A listener's exception goes its way; the events behind it come in a later macrotask.
      if (isInterrupted) setImmediate(() => this.emitWhile(false));
    }
    this.isBusy = false;
    handler.handleIdle();
  }

  /** The rest comes when ticks and microtasks have run. */
  waitForTurn() {
    if (this.isCalledAgain) this.isBusy = false;
    else setImmediate(() => this.emitWhile(true));
  }

  /** Has the addon inflate what the connection waits for; the events come when it has. */
  inflate() {
    this.isInflating = true;
    this.connection.inflate(
      AsyncResource.bind((/** @type {number} */ count) => {
        this.isInflating = false;
        this.read(count);
      })
    );
  }
}

module.exports = { Delivery };
