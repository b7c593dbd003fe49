'use strict';

/*
 * The options that ws does not have, except `transport`. Each is one row of TABLE; index.d.ts and doc/api.md have a line for each.
 * WebSocketServer and the client's handshake check them when an object is constructed, and use the results, never the raw values.
 * An option that is not set costs nothing here: its owner gets the shared defaults.
 */

const { checkBoolean, checkCount, checkMilliseconds } = require('./checks');
const { compileOrigins } = require('./origins');
const { compilePaths } = require('./paths');

/**
 * @typedef {'server' | 'client'} Role
 *
 * @typedef {Object} Row
 * @property {Role[]} roles constructors that take the option; others ignore it
 * @property {any} default its setting if it is absent or undefined
 * @property {(value: any, name: string, options: any) => any} read checks the value, and returns the setting. `name` is for errors,
 *   `options` are all options of the object. Throws Node's ERR_INVALID_ARG_* errors
 */

/** In the order of the checks. @satisfies {Record<string, Row>} */
const TABLE = {
  /** Function that decides about the Origin of a request. */
  allowedOrigins: { roles: ['server'], default: null, read: compileOrigins },
  /** True: a connection whose queue would exceed `maxBackpressure` is terminated. */
  closeOnBackpressureLimit: { roles: ['server', 'client'], default: false, read: checkBoolean },
  /** True: a connection is not read before its first 'message' listener. */
  deferReading: { roles: ['server', 'client'], default: false, read: checkBoolean },
  /** True: a connection that exceeds its rate is closed with 1008. */
  closeOnRateLimit: { roles: ['server', 'client'], default: false, read: checkBoolean },
  /** Number of bytes that may be queued for one peer; 0: unlimited. */
  maxBackpressure: { roles: ['server', 'client'], default: 0, read: checkCount },
  /** Bytes and messages that a peer may send per second; 0: unlimited. */
  maxBytesPerSecond: { roles: ['server', 'client'], default: 0, read: checkCount },
  maxMessagesPerSecond: { roles: ['server', 'client'], default: 0, read: checkCount },
  /** Milliseconds for a request, and for an answer of `verifyClient`; 0: no limit. Clients have ws's option of this name. */
  handshakeTimeout: { roles: ['server'], default: 0, read: checkMilliseconds },
  /** Milliseconds of silence after which a connection is terminated; 0: no limit. */
  idleTimeout: { roles: ['server', 'client'], default: 0, read: checkMilliseconds },
  /** Milliseconds after which a connection is closed; 0: no limit. */
  maxLifetime: { roles: ['server', 'client'], default: 0, read: checkMilliseconds },
  /** Function that returns the parameters of a request target. */
  paths: { roles: ['server'], default: null, read: compilePaths },
  /** True: a silent peer is pinged before `idleTimeout` has passed. */
  sendPings: { roles: ['server', 'client'], default: true, read: checkBoolean }
};

/**
 * The checked options of an object, by name.
 *
 * @typedef {Object} Settings
 * @property {import('./origins').OriginCheck | null} allowedOrigins
 * @property {boolean} closeOnBackpressureLimit
 * @property {boolean} closeOnRateLimit
 * @property {boolean} deferReading
 * @property {number} maxBackpressure
 * @property {number} maxBytesPerSecond
 * @property {number} maxMessagesPerSecond
 * @property {number} handshakeTimeout
 * @property {number} idleTimeout
 * @property {number} maxLifetime
 * @property {import('./paths').PathMatcher | null} paths
 * @property {boolean} sendPings
 */

/** @param {Role} role @returns {{ name: string, row: Row }[]} */
const rowsOf = (role) =>
  Object.entries(/** @type {Record<string, Row>} */ (TABLE))
    .filter(([, { roles }]) => roles.includes(role))
    .map(([name, row]) => ({ name, row }));

const ROWS = { server: rowsOf('server'), client: rowsOf('client') };

/** Settings of all objects without such options. @type {Readonly<Settings>} */
const DEFAULTS = Object.freeze(
  /** @type {any} */ (
    Object.fromEntries(Object.entries(TABLE).map(([name, row]) => [name, row.default]))
  )
);

/**
 * Checks the options of a constructor call.
 *
 * @param {any} options of the program
 * @param {Role} role
 * @returns {Readonly<Settings>}
 * @throws {TypeError | RangeError} on the first invalid option
 */
function readSettings(options, role) {
  /** @type {any} */
  let settings = null;
  for (const { name, row } of ROWS[role]) {
    const value = options[name];
    if (value === undefined) continue;
    settings ??= { ...DEFAULTS };
    settings[name] = row.read(value, `options.${name}`, options);
  }
  return settings ?? DEFAULTS;
}

/** Names of the client's options, none of which http.request() reads. */
const CLIENT_OPTIONS = ROWS.client.map(({ name }) => name);

module.exports = { CLIENT_OPTIONS, DEFAULTS, readSettings };
