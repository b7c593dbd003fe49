'use strict';

/*
 * Checks of the options and arguments that ws does not have. Errors have the class, code and message of those that Node throws for
 * its own options. Used by table.js and the functions that the package exports in addition to those of ws.
 */

const { inspect } = require('util');

const { createError } = require('../errors');

/** Longest part of a value that the messages of Node show. */
const TYPE_LENGTH = 25;
const VALUE_LENGTH = 128;

/**
 * Describes the type of a value as Node's ERR_INVALID_ARG_TYPE does.
 *
 * @param {any} value
 * @returns {string}
 */
function describeType(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const isLong = typeof value === 'string' && value.length > TYPE_LENGTH + 3;
  const text = inspect(isLong ? `${value.slice(0, TYPE_LENGTH)}...` : value);
  return `type ${typeof value} (${text})`;
}

/** @param {string} name @returns {string} `"options.x" property` or `"x" argument`, as Node names them */
const quote = (name) => `"${name}" ${name.includes('.') ? 'property' : 'argument'}`;

/**
 * @param {string} name of an option with the object before it, or of an argument
 * @param {string} expected `of type boolean`, `an instance of RegExp`
 * @param {unknown} value
 * @returns {Error} ERR_INVALID_ARG_TYPE
 */
function createTypeError(name, expected, value) {
  return createError('ARG_TYPE', quote(name), expected, describeType(value));
}

/**
 * @param {string} name
 * @param {string} range `>= 0`, `an integer`
 * @param {unknown} value
 * @returns {Error} ERR_OUT_OF_RANGE
 */
function createRangeError(name, range, value) {
  const isLong = Number.isInteger(value) && Math.abs(/** @type {number} */ (value)) > 2 ** 32;
  const text = isLong ? String(value).replace(/\B(?=(?:\d{3})+$)/g, '_') : inspect(value);
  return createError('ARG_RANGE', name, range, text);
}

/**
 * @param {string} name
 * @param {string} reason `must ...`
 * @param {unknown} value
 * @returns {Error} ERR_INVALID_ARG_VALUE
 */
function createValueError(name, reason, value) {
  let text = inspect(value);
  if (text.length > VALUE_LENGTH) text = `${text.slice(0, VALUE_LENGTH)}...`;
  const kind = name.includes('.') ? 'property' : 'argument';
  return createError('ARG_VALUE', `${kind} '${name}'`, reason, text);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {boolean} `value`
 * @throws {TypeError}
 */
function checkBoolean(value, name) {
  if (typeof value !== 'boolean') throw createTypeError(name, 'of type boolean', value);
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} min
 * @param {number} max
 * @returns {number} `value`
 * @throws {TypeError | RangeError}
 */
function checkInteger(value, name, min, max) {
  if (typeof value !== 'number') throw createTypeError(name, 'of type number', value);
  if (!Number.isInteger(value)) throw createRangeError(name, 'an integer', value);
  if (value < min || value > max) throw createRangeError(name, `>= ${min} && <= ${max}`, value);
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {number} `value`: a number of bytes or messages
 * @throws {TypeError | RangeError}
 */
function checkCount(value, name) {
  return checkInteger(value, name, 0, Number.MAX_SAFE_INTEGER);
}

/** Longest delay of a timer of Node, in milliseconds. */
const MAX_DELAY = 2 ** 31 - 1;

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {number} `value`
 * @throws {TypeError | RangeError}
 */
function checkMilliseconds(value, name) {
  return checkInteger(value, name, 0, MAX_DELAY);
}

module.exports = {
  checkBoolean,
  checkCount,
  checkInteger,
  checkMilliseconds,
  createTypeError,
  createValueError
};
