'use strict';

// Runs every specification with what `require('ws')` gives, one after the other, and records what each saw. Programs call it after
// they have changed the world that ws is loaded into.

const record = require('./record.cjs');
const specs = require('./specs.cjs');

/** @param {typeof import('ws')} [WebSocket] @param {string} [prefix] of the records */
module.exports = async (WebSocket = require('ws'), prefix = '') => {
  for (const [name, run] of Object.entries(specs)) {
    record(prefix + name, await run(WebSocket));
  }
};
