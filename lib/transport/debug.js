'use strict';

/*
 * The lines of `NODE_DEBUG=ferrows` on transports: the chosen transport and why, idling, fallback to stream and why.
 * Decisions per connection or rarer only, never per message.
 */

const { debuglog } = require('util');

const { environment } = require('../native');

const debug = debuglog('ferrows');

/** Constant, so that a disabled trace costs one comparison. Bun and Deno may lack the property. */
const isDebugging = debug.enabled === true;

/** The environment as the sweep timer of src/addon/thread.js uses it. Reports connections that become idle. */
const tracedEnvironment = {
  sweep() {
    const before = environment.activeCount;
    const wait = environment.sweep();
    const { activeCount } = environment;
    if (activeCount < before)
      debug('%d connections became idle, %d are active', before - activeCount, activeCount);
    return wait;
  }
};

module.exports = { debug, isDebugging, tracedEnvironment };
