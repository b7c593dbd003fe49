'use strict';

/*
 * When memory goes back: a connection that has been idle for a while needs next to nothing, one that compresses less of what
 * was sent, and nobody may need compressors. The addon knows; here is only the clock.
 */

// As they are now: a test that puts timers of its own in their place is not to find this one.
const { clearInterval, setInterval } = require('timers');

const { environment } = require('../native');

/** Milliseconds between two looks. What was not used between two of them is given back. */
const INTERVAL = 5000;

/** Open connections. */
let connections = 0;

/** @type {NodeJS.Timeout | null} */
let timer = null;

/** A connection has opened. */
function restLater() {
  connections++;
  timer ??= setInterval(rest, INTERVAL).unref();
}

/** One has closed. */
function restLess() {
  connections--;
}

function rest() {
  const isRestless = environment.rest();
  if (connections > 0 || isRestless) return;
  clearInterval(/** @type {NodeJS.Timeout} */ (timer));
  timer = null;
}

module.exports = { restLater, restLess };
