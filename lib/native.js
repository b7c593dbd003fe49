'use strict';

/*
 * The only file that loads the addon (binding.js). It names the functions, flags and record layouts of the addon for the
 * rest of lib/. No behavior belongs here.
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
 * Receives the events of an attached connection.
 *
 * @typedef {Object} Owner
 * @property {(count: number) => boolean} deliver `count`: number of readable records; 0 when called again, after an
 *   exception or a return value of `true`. Returns `true` to be called again after ticks and microtasks have run
 * @property {(action: number) => void} [handleTimeLimit]
 * @property {(count: number) => boolean} [deliverInContext] the same, in the async context of the connection: after keepContext()
 */

/**
 * State shared by all copies of the package in one JavaScript thread; see src/addon/thread.js.
 *
 * @typedef {Object} Thread
 * @property {typeof process.nextTick} nextTick
 * @property {typeof queueMicrotask} queueMicrotask
 * @property {typeof setImmediate} setImmediate
 * @property {typeof setInterval} setInterval
 * @property {typeof setTimeout} setTimeout
 * @property {typeof clearInterval} clearInterval
 * @property {typeof clearTimeout} clearTimeout
 * @property {(Owner | undefined)[]} owners owners of attached connections, indexed by connection id
 * @property {string | null} lastText the last string sent
 * @property {(socket: { close(): void }) => number} closeLater
 * @property {(flush: () => void) => void} flushAtExit
 * @property {Set<() => void>} exitHooks
 * @property {(environment: { sweep(): number }) => void} connectionOpened
 * @property {() => void} connectionClosed
 * @property {Map<number, WeakRef<any>>} streams connections over a stream that have time limits, by id
 * @property {(environment: any) => void} armTimer
 */

/** The environment of this JavaScript thread, shared by all copies of the package in it. */
const environment = new binding.Environment();

const thread = /** @type {Thread} */ (environment.thread());
const { owners } = thread;

/** Functions that take a connection id; see `Functions` in binding.d.ts. */
const functions = environment.functions();

/** The id of a destroyed connection. Calls with it have no effect. */
const NO_CONNECTION = 0;

/**
 * Registers the owner of an attached connection. Must be called in the same tick as attach() or adopt().
 *
 * @param {number} id
 * @param {Owner} owner
 */
function setOwner(id, owner) {
  owners[id] = owner;
}

/**
 * Destroys an attached connection and frees its id for reuse.
 *
 * @param {number} id
 */
function free(id) {
  owners[id] = undefined;
  functions.free(id);
}

/** @returns {Owner[]} the owners of all attached connections, and the internal owner of id 0 */
function listOwners() {
  return owners.filter((owner) => owner !== undefined);
}

/**
 * Creates a connection over a stream. Its id is valid for the lifetime of the returned object.
 *
 * @param {number} configId number of a configuration; see transport/config-cache.js
 * @returns {Connection}
 */
function createConnection(configId) {
  return new binding.Connection(environment, configId);
}

/** @returns {Listener} one that does not listen yet. Throws unless `listens` is true */
function createListener() {
  return new binding.Listener(environment);
}

/** Flags of the send commands. */
const SendFlag = {
  BINARY: 1,
  FIN: 2,
  /** The payload is a string. */
  STRING: 4,
  MASK: 8,
  /** The running total is to be returned. */
  TOTAL: 16,
  /** The string is that of the previous call with STRING. */
  SAME: 32,
  COMPRESS: 64,
  /** The payload is in shared memory; the argument is its length. */
  PLACED: 128
};

/** Kinds of records: the low byte of a record's first word. */
const RecordKind = {
  MESSAGE: 1,
  PING: 2,
  PONG: 3,
  CLOSE: 4,
  /** A protocol error. */
  ERROR: 5,
  /** Too many automatic pongs are pending. */
  FLOODED: 6,
  /** The next frame waits for Connection.inflate(). */
  INFLATING: 7,
  /** The output queued at the time of notify() has been written. */
  WRITTEN: 8,
  DRAIN: 9,
  /** The peer has ended its side. */
  END: 10,
  /** A system call failed. */
  FAULT: 11,
  /** The writing side has been shut down. */
  SHUTDOWN: 12
};

/** Flags of records, in the second byte of the first word. */
const RecordFlag = {
  /** PING: a pong has been sent. */
  ANSWERED: 1 << 8,
  /** MESSAGE: binary data. */
  BINARY: 1 << 8,
  /** MESSAGE: received in more than one frame; takeFragments() returns the lengths. */
  FRAGMENTED: 2 << 8,
  /** MESSAGE: takeLarge() returns the payload. */
  LARGE: 4 << 8,
  /** MESSAGE: the payload is in the payload arena. */
  ARENA: 8 << 8,
  /** MESSAGE: takeDetached() returns the memory that holds the payload. */
  DETACHED: 16 << 8,
  /** MESSAGE: received compressed; ERROR: in a compressed message. */
  COMPRESSED: 32 << 8,
  /** MESSAGE: shares one allocation with the other messages of its batch that have this flag. */
  BATCHED: 64 << 8,
  /** ERROR: a RangeError. */
  RANGE_ERROR: 1 << 8,
  /** FAULT: the failed call was a write, not a read. */
  WRITE: 1 << 8
};

/** Drivers for attach() and adopt(): the thread that moves the bytes of a connection. */
const Driver = { event_loop: 0, io_threads: 1 };

/** Added to the Driver: the connection starts paused. */
const PAUSED = 2;

module.exports = {
  ...functions,
  Driver,
  NO_CONNECTION,
  PAUSED,
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
  /** True if createListener() is supported on this system. */
  listens: binding.listens(),
  free,
  setOwner,
  /** True if attach() and adopt() are supported on this system. */
  takesSockets: binding.takesSockets(),
  thread
};
