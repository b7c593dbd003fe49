'use strict';

/*
 * The door to the addon: the only file that requires binding.js. It names what crosses it (functions,
 * send flags, record layout) for the rest of lib/. No behaviour belongs here.
 */

const { checkVersion, createLoadError } = require('./load-error');

/** @type {typeof import('../binding.js')} */
let binding;
try {
  binding = require('../binding.js');
} catch (error) {
  throw createLoadError(error);
}
checkVersion(binding.VERSION);

/** @typedef {import('../binding.js').Connection} Connection */
/** @typedef {import('../binding.js').ConnectionOptions} ConnectionOptions */
/** @typedef {import('../binding.js').DeflateOptions} DeflateOptions */
/** @typedef {import('../binding.js').Listener} Listener */

/**
 * What takes the news of a connection whose bytes the addon moves.
 *
 * @typedef {Object} Owner
 * @property {(count: number) => boolean} deliver `count` records can be read, 0: to go on (after an exception, too);
 *   `true`: to be called again when ticks and microtasks have run
 */

/**
 * What the copies of the package in one JavaScript thread share; see src/addon/thread.js.
 *
 * @typedef {Object} Thread
 * @property {typeof process.nextTick} nextTick
 * @property {typeof queueMicrotask} queueMicrotask
 * @property {typeof setImmediate} setImmediate
 * @property {typeof setInterval} setInterval
 * @property {typeof setTimeout} setTimeout
 * @property {typeof clearInterval} clearInterval
 * @property {typeof clearTimeout} clearTimeout
 * @property {(Owner | undefined)[]} owners of attached connections, by the numbers of these
 * @property {string | null} lastText the string that was sent last
 * @property {(socket: { close(): void }) => number} closeLater
 * @property {(flush: () => void) => void} flushAtExit
 * @property {Set<() => void>} exitHooks
 * @property {(environment: { rest(): boolean }) => void} connectionOpened
 * @property {() => void} connectionClosed
 */

/** The environment of this JavaScript thread, which all copies of the package in it share. */
const environment = new binding.Environment();

const thread = /** @type {Thread} */ (environment.thread());
const { owners } = thread;

/** What is done with a connection by its number: see `Functions` in binding.d.ts. */
const functions = environment.functions();

/** The number of a connection that was destroyed: what is asked of it does nothing. */
const NOBODY = 0;

/**
 * @param {number} id of an attached connection
 * @param {Owner} owner gets its news; to be named before attach() or adopt() has been returned from for long
 */
function setOwner(id, owner) {
  owners[id] = owner;
}

/** @param {number} id of an attached connection, which nobody may use from now on */
function free(id) {
  owners[id] = undefined;
  functions.free(id);
}

/** @returns {Owner[]} those of all attached connections, and others */
function listOwners() {
  return owners.filter((owner) => owner !== undefined);
}

/**
 * @param {number} configuration see transport/configurations.js
 * @returns {Connection} one over a stream. Its number is good as long as the object
 */
function createConnection(configuration) {
  return new binding.Connection(environment, configuration);
}

/**
 * @returns {Listener} one that does not listen yet; see `listens`
 */
function createListener() {
  return new binding.Listener(environment);
}

/** Flags of the send commands. */
const SendFlag = {
  BINARY: 1,
  FIN: 2,
  STRING: 4,
  MASK: 8,
  TOTAL: 16,
  SAME: 32,
  COMPRESS: 64,
  PLACED: 128
};

/** Kinds of records, the low byte of a record's first word. */
const RecordKind = {
  MESSAGE: 1,
  PING: 2,
  PONG: 3,
  CLOSE: 4,
  ERROR: 5,
  FLOODED: 6,
  RAW: 7,
  WRITTEN: 8,
  DRAIN: 9,
  END: 10,
  FAULT: 11,
  SHUTDOWN: 12,
  INFLATING: 13
};

/** Flags of records, in the second byte of the first word. */
const RecordFlag = {
  /** PING: a pong has been sent. */
  ANSWERED: 1 << 8,
  /** MESSAGE: binary data. */
  BINARY: 1 << 8,
  /** MESSAGE: came in more than one frame; takeFragments() has their lengths. */
  FRAGMENTED: 2 << 8,
  /** MESSAGE, RAW: takeLarge() returns the payload. */
  LARGE: 4 << 8,
  /** MESSAGE: the payload is in the payload arena. */
  ARENA: 8 << 8,
  /** MESSAGE: takeLanded() returns the memory that the payload is in. */
  DETACHED: 16 << 8,
  /** MESSAGE: came compressed; ERROR: should have been such a one. */
  COMPRESSED: 32 << 8,
  /** MESSAGE: gets memory together with the others of its batch that have this flag. */
  BATCHED: 64 << 8,
  /** ERROR: a RangeError. */
  RANGE_ERROR: 1 << 8,
  /** FAULT: writing failed, not reading. */
  WRITE: 1 << 8
};

/** Who moves the bytes of an attached connection, as attach() and adopt() take it. */
const TransportMode = { auto: 0, event_loop: 1, io_threads: 2, shuffle: 3 };

module.exports = {
  ...functions,
  TransportMode,
  NOBODY,
  RecordFlag,
  RecordKind,
  SendFlag,
  acceptKey: binding.acceptKey,
  applyMask: binding.applyMask,
  createConnection,
  createListener,
  encodeHeader: binding.encodeHeader,
  environment,
  listOwners,
  /** Whether createListener() can be called on this system. */
  listens: binding.listens(),
  free,
  setOwner,
  thread,
  /** Whether attach() can take sockets over on this system. */
  takesSockets: binding.takesSockets()
};
