'use strict';

// Memory of this process after garbage collection. Used by advisories-memory.test.js, which has the limits.

const v8 = require('node:v8');
const vm = require('node:vm');
const { nextIteration } = require('./event-loop');

v8.setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = vm.runInNewContext('gc');

/** @returns {Promise<{ managed: number, resident: number }>} bytes of JavaScript memory and of the process */
async function held() {
  // Finalizers run in later iterations and release memory for the next collection.
  for (let i = 0; i < 3; i++) {
    collect();
    await nextIteration();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { managed: heapUsed + external, resident: rss };
}

/**
 * @param {() => Promise<void>} action
 * @returns {Promise<{ managed: number, resident: number }>} the growth in bytes
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
