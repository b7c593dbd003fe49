'use strict';

/*
 * Conversion of a negotiated PerMessageDeflate to the compression options of the addon. Only websocket.js uses it.
 */

const { isAnyArrayBuffer } = require('util').types;

const { toBuffer } = require('../buffer-util');

/**
 * @param {any} deflate a PerMessageDeflate, or undefined
 * @returns {import('../native').DeflateOptions | undefined} undefined: not negotiated
 */
function toNative(deflate) {
  if (!deflate?.params) return undefined;
  const { _isServer, _options, _threshold, params } = deflate;
  const [self, peer] = _isServer ? ['server', 'client'] : ['client', 'server'];
  const { dictionary, level, memLevel, strategy } = _options.zlibDeflateOptions ?? {};
  return {
    outgoingWindowBits: deflate.windowBits(self),
    outgoingTakeover: !params[`${self}_no_context_takeover`],
    incomingWindowBits: deflate.windowBits(peer),
    incomingTakeover: !params[`${peer}_no_context_takeover`],
    threshold: Number(_threshold),
    level: toInteger(level),
    memLevel: toInteger(memLevel),
    strategy: toInteger(strategy),
    outgoingDictionary: toBytes(dictionary),
    incomingDictionary: toBytes(_options.zlibInflateOptions?.dictionary)
  };
}

/** @param {unknown} value @returns {number | undefined} */
function toInteger(value) {
  return Number.isInteger(value) ? /** @type {number} */ (value) : undefined;
}

/** @param {unknown} value @returns {Buffer | undefined} */
function toBytes(value) {
  return ArrayBuffer.isView(value) || isAnyArrayBuffer(value) ? toBuffer(value) : undefined;
}

module.exports = { toNative };
