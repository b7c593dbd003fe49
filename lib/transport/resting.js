'use strict';

/*
 * When memory of permessage-deflate goes back: connections that have been idle for a while need less of what was sent, and
 * nobody may need compressors. The addon knows; here is only the clock.
 */

const { environment } = require('../native');

/** Milliseconds between two looks. What was not used between two of them is given back. */
const INTERVAL = 5000;

/** Open connections that compress. */
let connections = 0;

/** @type {NodeJS.Timeout | null} */
let timer = null;

/** A connection that compresses has opened. */
function restLater() {
  connections++;
  timer ??= setInterval(rest, INTERVAL).unref();
}

/** Such a connection has closed. */
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
