'use strict';

/*
 * Who is to move the bytes: what the option `transport` and the variable FERROWS_TRANSPORT may say, and which of them
 * counts. index.js acts on it; so does the listener.
 */

const { createError } = require('../errors');

/**
 * - `auto`: on the event loop, or on the I/O threads in a rush;
 * - `event_loop`, `io_threads`: always there;
 * - `stream`: Node moves the bytes.
 */
const MODES = ['auto', 'event_loop', 'io_threads', 'stream'];

/** For tests: from the event loop to the threads and back, at random. Only the variable may say it. */
const SHUFFLE = 'shuffle';

/**
 * Checks the option `transport`.
 *
 * @param {unknown} transport undefined: nothing is said
 * @throws {TypeError} if it is none of the choices
 */
function checkMode(transport) {
  if (transport === undefined || MODES.includes(/** @type {string} */ (transport))) return;
  throw createError('TRANSPORT', MODES);
}

/**
 * @param {string | undefined} option
 * @returns {string} one of the choices. The variable comes first, for tests and for whoever runs what others have
 *   written; a value that is none says nothing.
 */
function resolveMode(option) {
  // Read each time on purpose.
  const pinned = process.env.FERROWS_TRANSPORT;
  if (pinned !== undefined && (pinned === SHUFFLE || MODES.includes(pinned))) return pinned;
  return option ?? 'auto';
}

module.exports = { checkMode, resolveMode };
