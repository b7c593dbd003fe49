'use strict';

// Resources of a process, on Linux: descriptors, threads, handles that keep its event loop alive, memory. The programs of
// children/ measure themselves with it, before and after.

const fs = require('node:fs');
const v8 = require('node:v8');
const vm = require('node:vm');
const { setTimeout: delay } = require('node:timers/promises');
const { isDeepStrictEqual } = require('node:util');

/** Milliseconds between two samples, and the number of samples until an expected state counts as never reached. */
const PAUSE = 10;
const SAMPLES = 1500;
/** Enough samples to detect a deliberate leak. */
const FEW_SAMPLES = 50;

/** Equal samples in a row that make a stable state. */
const SAME = 10;

/** @returns {string[]} the names of the threads of this process */
function threads() {
  return fs.readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()];
    } catch {
      // The thread has just ended.
      return [];
    }
  });
}

/** Open and running resources now. */
function resources() {
  const names = threads();
  return {
    descriptors: fs.readdirSync('/proc/self/fd').length,
    threads: names.length,
    ioThreads: names.filter((name) => name === 'ferrows-io').length,
    // On a worker thread, those of the worker.
    resources: process.getActiveResourcesInfo().sort()
  };
}

/**
 * Waits for a stable state, or for `expected`, or until neither will come.
 *
 * @param {ReturnType<typeof resources>} [expected]
 * @param {number} [samples]
 */
async function stableResources(expected, samples = SAMPLES) {
  let last = resources();
  for (let sample = 0, same = 0; sample < samples; sample++) {
    if (expected && isDeepStrictEqual(last, expected)) break;
    if (!expected && last.ioThreads === 0 && same === SAME) break;
    await delay(PAUSE);
    const now = resources();
    same = isDeepStrictEqual(now, last) ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** @type {(() => void) | undefined} */
let gc;

/** Collects garbage, and runs finalizers. */
async function collect() {
  if (!gc) {
    v8.setFlagsFromString('--expose-gc');
    gc = vm.runInNewContext('gc');
  }
  for (let round = 0; round < 3; round++) {
    gc();
    await delay(0);
  }
}

module.exports = { FEW_SAMPLES, collect, resources, stableResources, threads };
