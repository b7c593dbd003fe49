'use strict';

// The timer of housekeeping in src/addon/thread.js: a pass that is not over continues when the addon has said, before the next one
// begins, and the timer ends with the last connection when nothing is left to free. Time and addon are fakes.

const assert = require('node:assert/strict');
const test = require('node:test');

/** @type {{ kind: string, millis: number, run: () => void, isReferenced: boolean, isCleared: boolean }[]} */
const timers = [];

/** @param {string} kind */
const fake =
  (kind) =>
  (
    /** @type {(...args: any[]) => void} */ callback,
    /** @type {number} */ millis,
    /** @type {any[]} */ ...args
  ) => {
    const timer = {
      kind,
      millis,
      run: () => callback(...args),
      isReferenced: true,
      isCleared: false,
      unref() {
        this.isReferenced = false;
        return this;
      }
    };
    timers.push(timer);
    return timer;
  };

// The addon takes the functions when it is loaded.
const originals = {
  setInterval: globalThis.setInterval,
  setTimeout: globalThis.setTimeout,
  clearInterval: globalThis.clearInterval
};
Object.assign(globalThis, {
  setInterval: fake('interval'),
  setTimeout: fake('timeout'),
  clearInterval: (/** @type {any} */ timer) => (timer.isCleared = true)
});
const { thread } = require('../../lib/native');
Object.assign(globalThis, originals);

test('a pass continues in slices, and the timer ends with the last connection', () => {
  /** Results of the next calls. @type {number[]} */
  const results = [];
  let calls = 0;
  const environment = {
    sweep() {
      calls++;
      return /** @type {number} */ (results.shift());
    }
  };
  assert.equal(timers.length, 0);
  thread.connectionOpened(/** @type {any} */ (environment));
  thread.connectionOpened(/** @type {any} */ (environment));
  const [interval, ...others] = timers;
  assert.deepEqual(
    [interval.kind, interval.millis, interval.isReferenced],
    ['interval', 5000, false]
  );
  assert.equal(others.length, 0);

  results.push(100, 250, -1);
  interval.run();
  for (const [at, millis] of [100, 250].entries()) {
    const timeout = timers[1 + at];
    assert.deepEqual(
      [timeout.kind, timeout.millis, timeout.isReferenced],
      ['timeout', millis, false]
    );
    assert.deepEqual([calls, timers.length], [1 + at, 2 + at]);
    // No pass begins within another.
    interval.run();
    assert.equal(calls, 1 + at);
    timeout.run();
  }
  assert.deepEqual([calls, timers.length], [3, 3]);

  // Nothing is left to free, but a connection is open.
  thread.connectionClosed();
  results.push(0);
  interval.run();
  assert.equal(interval.isCleared, false);
  // No connection, but memory that the next pass may free.
  thread.connectionClosed();
  results.push(-1);
  interval.run();
  assert.equal(interval.isCleared, false);
  // Neither, at the end of a pass in slices.
  results.push(100, 0);
  interval.run();
  assert.equal(interval.isCleared, false);
  timers[3].run();
  assert.equal(interval.isCleared, true);

  // The next connection begins anew.
  thread.connectionOpened(/** @type {any} */ (environment));
  assert.equal(timers[4].kind, 'interval');
  thread.connectionClosed();
  results.push(0);
  timers[4].run();
  assert.deepEqual([timers[4].isCleared, results.length], [true, 0]);
});
