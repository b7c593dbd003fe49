'use strict';

/*
 * How connections are to behave, told to the addon once for all that are to behave alike: connections of a server have the
 * same options, and agree on few sets of parameters. What the options mean is not known here.
 */

const { environment } = require('../native');

/** @typedef {import('../native').ConnectionOptions} ConnectionOptions */

/** Configurations at most that are remembered; the oldest makes room. */
const CAPACITY = 32;

/**
 * Those that are remembered, with the numbers that the addon has given them.
 *
 * @type {{ number: number, options: ConnectionOptions }[]}
 */
const known = [];

/** The one that was found last, and the index of the one that makes room next. @type {typeof known[0] | undefined} */
let last;
let oldest = 0;

/**
 * @param {ConnectionOptions} options limits are integers, 0 or less is unlimited; not to be altered
 * @returns {number} of this configuration, good until the next call
 */
function configure(options) {
  if (last !== undefined && isSame(last.options, options)) return last.number;
  last = known.find((other) => isSame(other.options, options));
  if (last === undefined) {
    last = { number: environment.configure(known[oldest]?.number, options), options };
    known[oldest] = last;
    oldest = (oldest + 1) % CAPACITY;
  }
  return last.number;
}

/**
 * @param {number} configuration the result of the last call of configure()
 * @returns {ConnectionOptions} its options
 */
function optionsOf(configuration) {
  if (last?.number !== configuration) throw new RangeError('not the last configuration');
  return last.options;
}

/**
 * @param {ConnectionOptions} one
 * @param {ConnectionOptions} other
 * @returns {boolean}
 */
function isSame(one, other) {
  return (
    one.isServer === other.isServer &&
    one.autoPong === other.autoPong &&
    one.maxPayload === other.maxPayload &&
    one.maxFragments === other.maxFragments &&
    one.maxBufferedChunks === other.maxBufferedChunks &&
    one.maxPendingAutoPongs === other.maxPendingAutoPongs &&
    one.skipUTF8Validation === other.skipUTF8Validation &&
    isSameDeflate(one.deflate, other.deflate)
  );
}

/**
 * @param {ConnectionOptions['deflate']} one
 * @param {ConnectionOptions['deflate']} other
 * @returns {boolean}
 */
function isSameDeflate(one, other) {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.outgoingWindowBits === other.outgoingWindowBits &&
    one.outgoingTakeover === other.outgoingTakeover &&
    one.incomingWindowBits === other.incomingWindowBits &&
    one.incomingTakeover === other.incomingTakeover &&
    Object.is(one.threshold, other.threshold) &&
    one.level === other.level &&
    one.memLevel === other.memLevel &&
    one.strategy === other.strategy &&
    // What is in a dictionary may change.
    one.outgoingDictionary === undefined &&
    other.outgoingDictionary === undefined &&
    one.incomingDictionary === undefined &&
    other.incomingDictionary === undefined
  );
}

module.exports = { configure, optionsOf };
