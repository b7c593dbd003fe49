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

/** This copy of the shim in this JavaScript thread, as the addon knows it. */
const environment = new binding.Environment((owner, count) => {
  return /** @type {Owner} */ (owner).deliver(count);
});

/**
 * @param {ConnectionOptions} options limits are integers, 0 or less is unlimited
 * @returns {Connection}
 */
function createConnection(options) {
  return new binding.Connection(environment, options);
}

/**
 * @returns {Listener} one that does not listen yet; see `listens`
 */
function createListener() {
  return new binding.Listener(environment);
}

/**
 * Queues a message or a fragment on the connection of an `id`: Connection.send() with a random key where MASK is set,
 * for a third of the price. STRING must be set where the data is one, SAME may be where it is the one of the last call with
 * STRING; the total is returned only where TOTAL is set.
 */
const send = environment.sender();

/** Over a stream: parses a chunk for the connection of an `id`, and returns how many records can be read. */
const receive = environment.receiver();

/**
 * Over a stream: moves the output of the connection of an `id` into the slab, and returns its length; 0: there is none, or
 * more than fits, which Connection.takeOutput() has.
 */
const takeOutput = environment.outputTaker();

/** Flags of the send commands. */
const SendFlag = { BINARY: 1, FIN: 2, STRING: 4, MASK: 8, TOTAL: 16, SAME: 32, COMPRESS: 64 };

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
  /** MESSAGE, RAW: takeLarge() has the payload, the slab has not. */
  LARGE: 4 << 8,
  /** MESSAGE: the payload is in the bulk, the slab has not got it. */
  BULK: 8 << 8,
  /** MESSAGE: takeLanded() has the memory that the payload is in. */
  LANDED: 16 << 8,
  /** MESSAGE: came compressed; ERROR: should have been such a one. */
  COMPRESSED: 32 << 8,
  /** ERROR: a RangeError. */
  RANGE_ERROR: 1 << 8,
  /** FAULT: writing failed, not reading. */
  WRITE: 1 << 8
};

module.exports = {
  RecordFlag,
  RecordKind,
  SendFlag,
  acceptKey: binding.acceptKey,
  applyMask: binding.applyMask,
  createConnection,
  createListener,
  encodeHeader: binding.encodeHeader,
  environment,
  /** Whether createListener() can be called on this system. */
  listens: binding.listens(),
  receive,
  send,
  takeOutput,
  /** Whether Connection.attach() can take sockets over on this system. */
  takesSockets: binding.takesSockets()
};
