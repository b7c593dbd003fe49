'use strict';

/*
 * The option `paths`: selects requests by patterns in the syntax of URLPattern. Used by table.js; WebSocketServer.shouldHandle() and
 * server/routes.js apply it.
 */

const { PathPattern, canonicalizePathname } = require('./path-pattern');
const { createTypeError, createValueError } = require('./checks');

/** @typedef {Record<string, string | undefined>} PathParameters */
/** @typedef {(target: string) => PathParameters | null} PathMatcher */

/** A pattern that begins otherwise matches no path, which begins with a slash. */
const CAN_MATCH = /^[/*({]/;

/**
 * Compiles the option.
 *
 * @param {any} value a non-empty array of patterns
 * @param {string} name of the option, for errors
 * @param {any} options all options of the server
 * @returns {PathMatcher} takes a request target; returns the groups of the first pattern that matches, null: none does
 * @throws {TypeError}
 */
function compilePaths(value, name, options) {
  if (!Array.isArray(value)) throw createTypeError(name, 'an instance of Array', value);
  if (value.length === 0) throw createValueError(name, 'must not be empty', value);
  if (options.path)
    throw createValueError(name, 'cannot be combined with the option "path"', value);
  const patterns = value.map((pattern, index) => compile(pattern, `${name}[${index}]`));
  return (target) => {
    if (!target.startsWith('/')) return null;
    const pathname = canonicalizePathname(target.split('?', 1)[0]);
    for (const pattern of patterns) {
      const parameters = pattern.exec(pathname);
      if (parameters !== null) return parameters;
    }
    return null;
  };
}

/** @param {any} pattern @param {string} name @returns {InstanceType<typeof PathPattern>} @throws {TypeError} */
function compile(pattern, name) {
  if (typeof pattern !== 'string') throw createTypeError(name, 'of type string', pattern);
  if (!CAN_MATCH.test(pattern)) throw createValueError(name, 'must begin with "/"', pattern);
  try {
    return new PathPattern(pattern);
  } catch (error) {
    const reason = /** @type {Error} */ (error).message;
    throw createValueError(name, `is not a valid pattern: ${reason}`, pattern);
  }
}

module.exports = { compilePaths };
