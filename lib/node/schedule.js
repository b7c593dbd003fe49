'use strict';

/*
 * Node's scheduling functions for what the package schedules for itself: as they were when the first copy of the package
 * was loaded in this thread, so that a test cannot fake them and lose a message, a flush or a `close`. No other file of
 * lib/ may name `process.nextTick`, `setImmediate` or a timer of the library's own (the tidy test). Timers that ws leaves
 * to the program (the close timeout) are looked up on the global object when they are set, which a test may fake.
 */

const { thread } = require('../native');

const { clearInterval, clearTimeout, nextTick, queueMicrotask } = thread;
const { setImmediate, setInterval, setTimeout } = thread;

module.exports = {
  clearInterval,
  clearTimeout,
  nextTick,
  queueMicrotask,
  setImmediate,
  setInterval,
  setTimeout
};
