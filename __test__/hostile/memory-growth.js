'use strict';

// How much memory this process holds, when all that can be collected has been. Used by advisories.test.js; what may be held is
// decided there.

const v8 = require('node:v8');
const vm = require('node:vm');
const { turn } = require('./turn');

v8.setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = vm.runInNewContext('gc');

/** @returns {Promise<{ managed: number, resident: number }>} bytes of JavaScript's memory, and of the whole process */
async function held() {
  // Finalizers run in turns of their own, and free what the next collection finds.
  for (let i = 0; i < 3; i++) {
    collect();
    await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { managed: heapUsed + external, resident: rss };
}

/**
 * @param {() => Promise<void>} action
 * @returns {Promise<{ managed: number, resident: number }>} by how much it lets memory grow, in bytes
 */
async function growth(action) {
  const before = await held();
  await action();
  const after = await held();
  return {
    managed: after.managed - before.managed,
    resident: after.resident - before.resident
  };
}

module.exports = { growth };
