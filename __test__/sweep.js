'use strict';

const { environment } = require('../lib/native');

/**
 * Makes a whole pass of housekeeping, as the timer of src/addon/thread.js does in slices.
 *
 * @returns {number} 0, or -1 if the next pass may release more
 */
function sweepAll() {
  let wait;
  do wait = environment.sweep();
  while (wait > 0);
  return wait;
}

module.exports = { sweepAll };
