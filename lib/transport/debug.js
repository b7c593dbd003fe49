'use strict';

/*
 * The lines of `NODE_DEBUG=ferrows` on transports: the chosen transport and why, migration, idling, fallback to stream and
 * why. Decisions per connection or rarer only, never per message.
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

/**
 * Makes transports report migration, which the addon does by itself, with the next delivery.
 *
 * @param {{ deliver(count: number): boolean, id: number, kind: string }} prototype of NativeTransport
 */
function traceMigrations(prototype) {
  /** The kind of each transport at its last delivery. @type {WeakMap<object, string>} */
  const kinds = new WeakMap();
  const { deliver } = prototype;
  prototype.deliver = function (count) {
    const { id, kind } = this;
    const before = kinds.get(this) ?? kind;
    kinds.set(this, kind);
    if (kind !== before) debug('connection %d migrated from %s to %s', id, before, kind);
    return deliver.call(this, count);
  };
}

module.exports = { debug, isDebugging, traceMigrations, tracedEnvironment };
