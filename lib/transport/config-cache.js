'use strict';

/*
 * Configurations of connections, registered with the addon once per distinct set of options: the connections of a server
 * share their options and negotiate few sets of parameters. Called by index.js. The meaning of options does not belong here.
 */

const { environment } = require('../native');

/** @typedef {import('../native').ConnectionOptions} ConnectionOptions */

/**
 * @typedef {Object} Config
 * @property {number} id number of the configuration in the addon
 * @property {ConnectionOptions} options
 */

/** Maximum number of cached configurations. A new one replaces the oldest. */
const CAPACITY = 32;

/** @type {Config[]} */
const cache = [];

/** The configuration returned last. @type {Config | undefined} */
let last;
/** Index of the entry that the next new one replaces. */
let oldest = 0;

/**
 * Returns the configuration with the given options.
 *
 * @param {ConnectionOptions} options limits are integers, 0 or less is unlimited. Must not be modified afterwards
 * @returns {Config} its id is valid until the next call, and as long as a connection uses it
 */
function configure(options) {
  if (last !== undefined && isSame(last.options, options)) return last;
  last = cache.find((config) => isSame(config.options, options));
  if (last === undefined) {
    last = { id: environment.configure(cache[oldest]?.id, options), options };
    cache[oldest] = last;
    oldest = (oldest + 1) % CAPACITY;
  }
  return last;
}

/**
 * Compares all keys of two sets of options, so that a new option needs no change here. Sets with bytes (a preset
 * dictionary) are never the same: a program may change the bytes.
 *
 * @param {Record<string, any>} one
 * @param {Record<string, any>} other
 * @returns {boolean}
 */
function isSame(one, other) {
  let keys = 0;
  for (const key in one) {
    const a = one[key];
    const b = other[key];
    if (typeof a === 'object' && a !== null) {
      if (typeof b !== 'object' || b === null) return false;
      if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b) || !isSame(a, b)) return false;
    } else if (!Object.is(a, b)) {
      return false;
    }
    keys++;
  }
  for (const _key in other) keys--;
  return keys === 0;
}

module.exports = { configure };
