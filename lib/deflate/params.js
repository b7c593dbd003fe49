'use strict';

/*
 * Negotiation of permessage-deflate parameters (RFC 7692, section 7.1). Pure functions; only permessage-deflate.js calls them.
 */

const { createError } = require('../errors');

/** @typedef {Record<string, any>} Params */
/** @typedef {Record<string, any>} Options of PerMessageDeflate */

/** @param {Options} options @returns {Params} the offer of a client */
function createOffer(options) {
  const bits = options.clientMaxWindowBits ?? true;
  /** @type {Params} */
  const params = {};
  if (options.serverNoContextTakeover) params.server_no_context_takeover = true;
  if (options.clientNoContextTakeover) params.client_no_context_takeover = true;
  if (options.serverMaxWindowBits) params.server_max_window_bits = options.serverMaxWindowBits;
  if (bits) params.client_max_window_bits = bits;
  return params;
}

/**
 * Chooses an offer as a server.
 *
 * @param {Params[]} offers normalized
 * @param {Options} options
 * @returns {Params} the first acceptable offer, with the server's own parameters added
 * @throws {Error} if there is none
 */
function acceptOffer(offers, options) {
  const params = offers.find((offer) => isAcceptable(offer, options));
  if (!params) throw createError('OFFERS_REFUSED');

  const { clientMaxWindowBits, serverMaxWindowBits } = options;
  if (options.serverNoContextTakeover) params.server_no_context_takeover = true;
  if (options.clientNoContextTakeover) params.client_no_context_takeover = true;
  if (typeof serverMaxWindowBits === 'number') {
    params.server_max_window_bits = serverMaxWindowBits;
  }
  if (typeof clientMaxWindowBits === 'number') {
    params.client_max_window_bits = clientMaxWindowBits;
  } else if (params.client_max_window_bits === true || clientMaxWindowBits === false) {
    delete params.client_max_window_bits;
  }
  return params;
}

/**
 * @param {Params} offer normalized
 * @param {Options} options
 * @returns {boolean} true if it does not contradict the server's options
 */
function isAcceptable(offer, options) {
  const { clientMaxWindowBits, serverMaxWindowBits } = options;
  if (offer.server_no_context_takeover && options.serverNoContextTakeover === false) return false;

  const serverBits = offer.server_max_window_bits;
  if (serverBits && serverMaxWindowBits === false) return false;
  if (serverBits < serverMaxWindowBits && typeof serverMaxWindowBits === 'number') return false;

  if (typeof clientMaxWindowBits !== 'number') return true;
  const clientBits = offer.client_max_window_bits;
  // NaN does not limit the bits, as in ws.
  return clientBits !== undefined && (clientBits === true || !(clientBits < clientMaxWindowBits));
}

/**
 * Checks the response of a server as a client.
 *
 * @param {Params} params normalized; completed
 * @param {Options} options
 * @returns {Params} the same object
 * @throws {Error} if it contradicts the client's options
 */
function acceptResponse(params, { clientMaxWindowBits, clientNoContextTakeover }) {
  if (params.client_no_context_takeover && clientNoContextTakeover === false) {
    throw createError('PARAMETER_UNEXPECTED', 'client_no_context_takeover');
  }
  const bits = params.client_max_window_bits;
  const isNumber = typeof clientMaxWindowBits === 'number';
  if (!bits) {
    if (isNumber) params.client_max_window_bits = clientMaxWindowBits;
  } else if (clientMaxWindowBits === false || (isNumber && bits > clientMaxWindowBits)) {
    throw createError('PARAMETER_UNACCEPTABLE', 'client_max_window_bits');
  }
  return params;
}

/**
 * Replaces each list of values by its only value: a number of bits, or true.
 *
 * @param {Params[]} configurations changed
 * @param {boolean} isOffer false: a response
 * @returns {Params[]} the same objects
 * @throws {Error} on an unknown or repeated parameter
 * @throws {TypeError} on an invalid value
 */
function normalizeParams(configurations, isOffer) {
  for (const params of configurations) {
    for (const [key, values] of Object.entries(params)) {
      if (values.length > 1) throw createError('PARAMETER_REPEATED', key);
      params[key] = normalizeParam(key, values[0], isOffer);
    }
  }
  return configurations;
}

/**
 * @param {string} key
 * @param {string | true} value
 * @param {boolean} isOffer
 * @returns {number | true}
 */
function normalizeParam(key, value, isOffer) {
  switch (key) {
    case 'client_no_context_takeover':
    case 'server_no_context_takeover':
      if (value === true) return true;
      break;
    case 'client_max_window_bits':
      // Valid without a value in offers only (RFC 7692, section 7.1.2.2).
      if (value === true && isOffer) return true;
    // falls through
    case 'server_max_window_bits': {
      const bits = value === true ? NaN : Number(value);
      if (Number.isInteger(bits) && bits >= 8 && bits <= 15) return bits;
      break;
    }
    default:
      throw createError('PARAMETER_UNKNOWN', key);
  }
  throw createError('PARAMETER_VALUE', key, value);
}

module.exports = { acceptOffer, acceptResponse, createOffer, normalizeParams };
