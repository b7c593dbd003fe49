'use strict';

/*
 * From records to events: empties a connection's queue into its handler, in order, whatever the listeners
 * do (throw, re-enter, ask for one event per macrotask), and whatever has to be inflated by another thread first.
 * The transports and the delivery of a Receiver are such.
 */

const native = require('../native');
const { AsyncContext } = require('../node/async-context');
const { forget, readRecords, shift } = require('./record-reader');
const { setImmediate } = require('../node/schedule');

const { INFLATING, PONG } = native.RecordKind;
const { COMPRESSED } = native.RecordFlag;

class EventQueue {
  /**
   * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
   */
  constructor(isSynchronous) {
    /** What the addon knows the connection by. */
    this.id = native.NO_CONNECTION;
    /**
     * What it has for the rare things that are asked of one, if anything was asked.
     *
     * @type {import('../native').Connection | null}
     */
    this.object = null;
    /**
     * Events that have been read and not been emitted; null: there are none.
     *
     * @type {InstanceType<typeof import('./record-reader').RecordQueue> | null}
     */
    this.queue = null;
    this.isSynchronous = isSynchronous;
    /** Whether an event is being emitted, or waits for its macrotask. */
    this.isBusy = false;
    /** Whether the next message is being inflated. Nothing behind it has been parsed. */
    this.isInflating = false;
    /** Whether the last event is still to be told, and those behind it wait: see `goOn()`. */
    this.isHeld = false;
    /** Whether the addon delivers, which calls again when it is asked to. */
    this.canYield = false;
  }

  get connection() {
    return (this.object ??= native.environment.connection(this.id));
  }

  /** Whether what was inflated may come at once, if nothing is before it. */
  get startsMacrotask() {
    return false;
  }

  /**
   * Called for each event.
   *
   * @param {number} _head first word of the record
   * @param {any} _payload
   * @param {any} _detail
   */
  handleRecord(_head, _payload, _detail) {}

  /** Called when all events read so far have been emitted. */
  handleEmpty() {}

  get isEmpty() {
    return !this.isBusy && !this.isInflating && this.queue === null;
  }

  /** Whether there is more, which nothing holds up but that it is to come in a turn of its own. */
  get hasPending() {
    return !this.isBusy && this.queue !== null;
  }

  /**
   * Reads records and emits what is in turn.
   *
   * @param {number} count readable records
   */
  read(count) {
    readRecords(this, count);
    this.drain();
  }

  /** Emits what is in turn. */
  drain() {
    if (!this.isBusy && !this.isHeld) this.emitEvents(false);
  }

  /**
   * @param {boolean} hasTurn whether this macrotask belongs to the first event of the queue
   */
  emitEvents(hasTurn) {
    let isInterrupted = true;
    let isFirst = hasTurn || this.startsMacrotask;
    this.isBusy = true;
    try {
      while (this.queue !== null) {
        // MESSAGE, PING and PONG are the kinds that may have to wait; the others go with what they follow.
        if (!this.isSynchronous && !hasTurn && (this.queue.peek() & 0xff) <= PONG) {
          setImmediate(() => this.emitEvents(true));
          isInterrupted = false;
          return;
        }
        // What was inflated comes in a turn of its own: ticks and microtasks of what is before it run first.
        if (!isFirst && this.isSynchronous && (this.queue.peek() & COMPRESSED) !== 0) {
          isInterrupted = false;
          this.yieldMacrotask();
          return;
        }
        hasTurn = false;
        isFirst = false;
        const { head, payload, detail } = shift(this);
        forget();
        if ((head & 0xff) === INFLATING) this.inflate();
        else this.handleRecord(head, payload, detail);
        if (this.isHeld) {
          isInterrupted = false;
          return;
        }
      }
      isInterrupted = false;
    } finally {
      // A listener's exception goes its way; the events behind it come in a later macrotask.
      if (isInterrupted) setImmediate(() => this.emitEvents(false));
    }
    this.isBusy = false;
    this.handleEmpty();
  }

  /** Goes on behind an event that was held. */
  goOn() {
    this.isHeld = false;
    this.emitEvents(false);
  }

  /** The rest comes when ticks and microtasks have run. */
  yieldMacrotask() {
    if (this.canYield) this.isBusy = false;
    else setImmediate(() => this.emitEvents(true));
  }

  /** Has the addon inflate what the connection waits for; the events come when it has. */
  inflate() {
    this.isInflating = true;
    const context = new AsyncContext('WebSocketInflate');
    this.connection.inflate((/** @type {number} */ count) => {
      context.runInAsyncScope(this.inflated, this, count);
    });
  }

  /** @param {number} count readable records */
  inflated(count) {
    this.isInflating = false;
    this.read(count);
  }
}

module.exports = { EventQueue };
