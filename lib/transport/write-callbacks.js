'use strict';

/*
 * Callbacks of send commands that wait until their bytes have left. Each connection has its own; only its
 * transport may touch it. Bytes are counted by the running total that the addon's commands return.
 */
const { nextTick } = require('../node/schedule');

/** Slots of each callback: total, function, AsyncResource or null. */
const SLOTS = 3;

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
   * @param {number} total running total at which the bytes have left
   * @param {(error?: Error | null) => void} callback
   * @param {import('async_hooks').AsyncResource | null} resource context to call it in; null: any
   */
  add(total, callback, resource) {
    this.slots.push(total, callback, resource);
  }

  /**
   * Calls those whose bytes have left, in order. An exception of one is thrown in a later tick, so that the
   * others are called.
   *
   * @param {number} total
   * @param {Error | null} [error] what they get
   * @returns {boolean} whether there were any
   */
  settle(total, error = null) {
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
        nextTick(() => {
          throw exception;
        });
      }
    }
    if (this.head === slots.length) {
      slots.length = 0;
      this.head = 0;
    } else if (this.head > 1024) {
      slots.splice(0, this.head);
      this.head = 0;
    }
    return isDue;
  }
}

module.exports = { WriteCallbacks };
