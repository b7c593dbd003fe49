'use strict';

/*
 * The lines of `NODE_DEBUG=ferrows` on transports: the chosen transport and why, migration, idling, fallback to stream and
 * why. Decisions per connection or rarer only, never per message.
 */

const { debuglog } = require('util');

const debug = debuglog('ferrows');

/** Constant, so that a disabled trace costs one comparison. Bun and Deno may lack the property. */
const isDebugging = debug.enabled === true;

module.exports = { debug, isDebugging };
