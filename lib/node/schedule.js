'use strict';

/*
 * Node's scheduling functions for the library's own work, as they were when the first copy of the package was loaded in this
 * thread: a test that fakes them later must not delay a message, a flush or a `close`. No other file of lib/ may name
 * `process.nextTick`, `setImmediate` or a timer of the library's own (tidy test). Timers that ws takes from the global object
 * (the close timeout) are looked up there when they are set, so that tests can fake them.
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
