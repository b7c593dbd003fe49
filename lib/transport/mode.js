'use strict';

/*
 * Transport modes: the values of the option `transport` and of FERROWS_TRANSPORT, and their precedence. Servers and clients
 * check the option here; index.js and server/fallback.js act on the mode.
 */

const { createError } = require('../errors');

/**
 * - `auto`, `event_loop`: the addon moves the bytes of plain sockets, on the event loop;
 * - `io_threads`: the addon does so on I/O threads;
 * - `stream`: Node moves the bytes.
 */
const MODES = ['auto', 'event_loop', 'io_threads', 'stream'];

/**
 * Validates the option `transport`.
 *
 * @param {unknown} option
 * @throws {TypeError} unless it is undefined or a mode
 */
function checkMode(option) {
  if (option === undefined || MODES.includes(/** @type {string} */ (option))) return;
  throw createError('TRANSPORT', MODES);
}

/** @returns {string | undefined} the mode in FERROWS_TRANSPORT; undefined if it is unset or no mode */
function modeOfEnvironment() {
  // Not cached: programs and tests set it between connections.
  const value = process.env.FERROWS_TRANSPORT;
  return value !== undefined && MODES.includes(value) ? value : undefined;
}

/**
 * Returns the mode of a connection. FERROWS_TRANSPORT takes precedence over the option.
 *
 * @param {string | undefined} option
 * @returns {string}
 */
function resolveMode(option) {
  return modeOfEnvironment() ?? option ?? 'auto';
}

/**
 * Describes the mode of a connection and its source, for debug output.
 *
 * @param {string | undefined} option
 * @returns {string}
 */
function describeMode(option) {
  const pinned = modeOfEnvironment();
  if (pinned !== undefined) return `FERROWS_TRANSPORT=${pinned}`;
  return option === undefined ? 'transport: auto (default)' : `transport: ${option} (option)`;
}

module.exports = { checkMode, describeMode, resolveMode };
