'use strict';

/*
 * The queue of parsed events of one connection, and the order in which they are emitted: whatever listeners do (throw,
 * re-enter), at most one message per macrotask with `allowSynchronousEvents: false`, and each compressed message in a
 * macrotask of its own. Base class of event-dispatcher.js; the meaning of events does not belong here.
 */

const native = require('../native');
const { AsyncContext } = require('../node/async-context');
const { TransportFlags } = require('./transport-flags');
const { forget, readRecords, shift } = require('./record-reader');
const { setImmediate } = require('../node/schedule');

const { INFLATING, PONG } = native.RecordKind;
const { COMPRESSED } = native.RecordFlag;

/**
 * States of an event queue. Only EMITTING has emitEvents() on the stack.
 *
 * | state     | meaning                                                  | next state                                        |
 * | --------- | -------------------------------------------------------- | ------------------------------------------------- |
 * | READY     | nothing is being emitted; the queue is empty, or its     | EMITTING by emitPending()                         |
 * |           | events wait until the addon calls deliver() again        |                                                   |
 * | EMITTING  | a listener is running                                    | READY when the queue is empty or yields to the    |
 * |           |                                                          | addon; SCHEDULED before an event that needs its   |
 * |           |                                                          | own macrotask, and after an exception             |
 * | SCHEDULED | a macrotask continues with the next event                | EMITTING by that macrotask                        |
 * | HELD      | events wait for resumeEmitting(): a protocol error is    | EMITTING by resumeEmitting(); a macrotask that    |
 * |           | reported two ticks late, or the socket is about to close | was scheduled before emits one event, still HELD  |
 *
 * Every state can become HELD by hold(). Independent of the state are `isInflating` (the addon inflates the next message on
 * another thread, and has parsed nothing behind it) and `canYield` (this is a delivery of the addon).
 */
const State = { READY: 0, EMITTING: 1, SCHEDULED: 2, HELD: 3 };

const { EMITTING, HELD, READY, SCHEDULED } = State;

class EventQueue extends TransportFlags {
  /** @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask */
  constructor(isSynchronous) {
    super();
    /** Id of the connection in the addon. */
    this.id = native.NO_CONNECTION;
    /**
     * The addon's object of the connection, for rare calls; made on first use.
     *
     * @type {import('../native').Connection | null}
     */
    this.object = null;
    /**
     * Events that have been read and not emitted; null: there are none.
     *
     * @type {InstanceType<typeof import('./record-reader').RecordQueue> | null}
     */
    this.queue = null;
    this.isSynchronous = isSynchronous;
    /** One of State. */
    this.state = READY;
    /** True while the next message is being inflated. */
    this.isInflating = false;
    /** True while the addon delivers: deliver() can return `true` to be called again after ticks and microtasks. */
    this.canYield = false;
  }

  get connection() {
    return (this.object ??= native.environment.connection(this.id));
  }

  /** True if emitPending() runs in a macrotask of its own, in which a compressed message may be the first event. */
  get startsMacrotask() {
    return false;
  }

  /**
   * Emits one event.
   *
   * @param {number} _head first word of the record
   * @param {any} _payload
   * @param {any} _detail
   */
  handleRecord(_head, _payload, _detail) {}

  /** Called whenever the queue has become empty. */
  handleEmpty() {}

  /** True if all events read so far have been emitted and none is being inflated. */
  get isEmpty() {
    return this.state === READY && !this.isInflating && this.queue === null;
  }

  /** True if the next event waits for a delivery only. */
  get hasPending() {
    return this.state === READY && this.queue !== null;
  }

  /** Keeps events until resumeEmitting(). */
  hold() {
    this.state = HELD;
  }

  get isHeld() {
    return this.state === HELD;
  }

  /**
   * Reads records, and emits as many events as the state allows.
   *
   * @param {number} count number of readable records
   */
  read(count) {
    readRecords(this, count);
    this.emitPending();
  }

  /** Emits pending events, unless they are being emitted, scheduled or held. */
  emitPending() {
    if (this.state === READY) this.emitEvents(false);
  }

  /** Emits events behind the one that was held. */
  resumeEmitting() {
    this.state = READY;
    this.emitEvents(false);
  }

  /** @param {boolean} hasMacrotask true if this macrotask was scheduled for the first event of the queue */
  emitEvents(hasMacrotask) {
    let hasThrown = true;
    let isFirst = hasMacrotask || this.startsMacrotask;
    if (this.state !== HELD) this.state = EMITTING;
    try {
      while (this.queue !== null) {
        // MESSAGE, PING and PONG are the kinds that may need a macrotask; the others go with the event before them.
        if (!this.isSynchronous && !hasMacrotask && (this.queue.peek() & 0xff) <= PONG) {
          hasThrown = false;
          this.scheduleEmit(true);
          return;
        }
        // As with ws, ticks and microtasks of earlier events run before a compressed message.
        if (!isFirst && this.isSynchronous && (this.queue.peek() & COMPRESSED) !== 0) {
          hasThrown = false;
          if (!this.canYield) this.scheduleEmit(true);
          else this.state = READY;
          return;
        }
        hasMacrotask = false;
        isFirst = false;
        const { head, payload, detail } = shift(this);
        forget();
        if ((head & 0xff) === INFLATING) this.inflate();
        else this.handleRecord(head, payload, detail);
        if (this.isHeld) {
          hasThrown = false;
          return;
        }
      }
      hasThrown = false;
    } finally {
      // The exception of a listener propagates; later events are emitted in a later macrotask.
      if (hasThrown) this.scheduleEmit(false);
    }
    if (this.state !== HELD) this.state = READY;
    this.handleEmpty();
  }

  /** @param {boolean} isOwn true if the macrotask is the one that the next event needs */
  scheduleEmit(isOwn) {
    if (this.state !== HELD) this.state = SCHEDULED;
    setImmediate(() => this.emitEvents(isOwn));
  }

  /** Has the addon inflate the next message, whose events are read when that is done. */
  inflate() {
    this.isInflating = true;
    const context = new AsyncContext('WebSocketInflate');
    this.connection.inflate((/** @type {number} */ count) => {
      context.runInAsyncScope(this.inflated, this, count);
    });
  }

  /** @param {number} count number of readable records */
  inflated(count) {
    this.isInflating = false;
    this.read(count);
  }
}

module.exports = { EventQueue };
