'use strict';

// Runs every specification with `require('ws')`, one after the other, and records the results. Called by programs that have
// changed the environment of ws.

const record = require('./record.cjs');
const specs = require('./specs.cjs');

/** @param {any} [api] the exports of ws @param {string} [prefix] prefix of the records */
module.exports = async (api = require('ws'), prefix = '') => {
  for (const [name, run] of Object.entries(specs)) {
    record(prefix + name, await run(api));
  }
};
