'use strict';

/*
 * Callbacks of send commands, called once their bytes have been written. One queue per connection, used by its transport.
 * Positions are running totals of queued bytes, as the addon's commands return them.
 */

const { nextTick } = require('../node/schedule');

/** Slots per callback: running total, function, AsyncResource or null. */
const SLOTS = 3;

/** Number of used slots at the front of the array from which they are cut off. */
const MAX_USED_SLOTS = 1024;

class WriteCallbacks {
  constructor() {
    /** @type {any[]} */
    this.slots = [];
    this.head = 0;
  }

  get isEmpty() {
    return this.head === this.slots.length;
  }

  /**
   * @param {number} total running total at the end of the command's bytes
   * @param {(error?: Error | null) => void} callback
   * @param {import('async_hooks').AsyncResource | null} resource context to call it in; null: the current one
   */
  add(total, callback, resource) {
    this.slots.push(total, callback, resource);
  }

  /**
   * Calls the callbacks up to a running total, in order. An exception is rethrown in a later tick, so that the other
   * callbacks are called.
   *
   * @param {number} total
   * @param {Error | null} [error] passed to the callbacks
   * @returns {boolean} true if at least one callback was called
   */
  complete(total, error = null) {
    const { slots } = this;
    const isDue = this.head < slots.length && slots[this.head] <= total;
    while (this.head < slots.length && slots[this.head] <= total) {
      const callback = slots[this.head + 1];
      const resource = slots[this.head + 2];
      this.head += SLOTS;
      try {
        if (resource === null) callback(error);
        else resource.runInAsyncScope(callback, undefined, error);
      } catch (exception) {
        rethrowLater(exception);
      }
    }
    if (this.head === slots.length) {
      slots.length = 0;
      this.head = 0;
    } else if (this.head > MAX_USED_SLOTS) {
      slots.splice(0, this.head);
      this.head = 0;
    }
    return isDue;
  }
}

/**
 * Throws an exception in a tick of its own.
 *
 * @param {unknown} exception
 */
function rethrowLater(exception) {
  nextTick(() => {
    throw exception;
  });
}

module.exports = { WriteCallbacks, rethrowLater };
