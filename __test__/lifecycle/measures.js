'use strict';

// What a process holds, on Linux: descriptors, threads, what keeps its event loop alive, memory. The programs of children/
// look at themselves with it, before and after. What they do in between does not belong here.

const fs = require('node:fs');
const v8 = require('node:v8');
const vm = require('node:vm');
const { setTimeout: delay } = require('node:timers/promises');
const { isDeepStrictEqual } = require('node:util');

/** Between two looks, in milliseconds, and how many there are before something counts as never going to happen. */
const PAUSE = 10;
const LOOKS = 1500;
/** Enough to see that something has been left on purpose. */
const FEW_LOOKS = 50;

/** So many looks that show the same make a state that lasts. */
const SAME = 10;

/** @returns {string[]} the names of the threads of this process */
function threads() {
  return fs.readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()];
    } catch {
      // It has just ended.
      return [];
    }
  });
}

/** What is open and running now. */
function held() {
  const names = threads();
  return {
    descriptors: fs.readdirSync('/proc/self/fd').length,
    threads: names.length,
    ioThreads: names.filter((name) => name === 'ferrows-io').length,
    // Other than on the main thread, these are those of the worker.
    resources: process.getActiveResourcesInfo().sort()
  };
}

/**
 * Waits for a state that lasts, or for `expected`, or until neither will come.
 *
 * @param {ReturnType<typeof held>} [expected]
 * @param {number} [looks]
 */
async function settled(expected, looks = LOOKS) {
  let last = held();
  for (let look = 0, same = 0; look < looks; look++) {
    if (expected && isDeepStrictEqual(last, expected)) break;
    if (!expected && last.ioThreads === 0 && same === SAME) break;
    await delay(PAUSE);
    const now = held();
    same = isDeepStrictEqual(now, last) ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** @type {(() => void) | undefined} */
let gc;

/** Collects what nobody holds, with what its finalizers let go. */
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

module.exports = { FEW_LOOKS, collect, held, settled, threads };
