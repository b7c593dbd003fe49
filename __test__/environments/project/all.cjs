'use strict';

// Runs every specification with what `require('ws')` gives, one after the other, and records what each saw. Programs call it after
// they have changed the world that ws is loaded into.

const record = require('./record.cjs');
const specs = require('./specs.cjs');

/** @param {any} [api] the exports of ws @param {string} [prefix] of the records */
module.exports = async (api = require('ws'), prefix = '') => {
  for (const [name, run] of Object.entries(specs)) {
    record(prefix + name, await run(api));
  }
};
