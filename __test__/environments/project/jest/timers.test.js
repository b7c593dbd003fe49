'use strict';

// Timers are faked before ws is loaded. FAKE is the kind: `all` includes process.nextTick.

const record = require('../record.cjs');
const specs = require('../timers.cjs');

const { FAKE } = process.env;
const isLegacy = FAKE === 'legacy';

/** ws does these in a later tick, and so not while ticks are faked. */
const NEEDS_TICKS = ['a message that is too large', 'refusals'];
/** Node sets the timer of a request internally, where Jest does not fake it. */
const NEEDS_TIMERS_OF_NODE = 'a handshake that takes too long';

beforeEach(() => {
  jest.useFakeTimers(
    isLegacy ? { legacyFakeTimers: true } : FAKE === 'all' ? {} : { doNotFake: ['nextTick'] }
  );
});

afterEach(() => {
  jest.useRealTimers();
});

const advance = isLegacy
  ? (milliseconds) => jest.advanceTimersByTime(milliseconds)
  : (milliseconds) => jest.advanceTimersByTimeAsync(milliseconds);

for (const [name, run] of Object.entries(specs)) {
  if (FAKE !== 'modern' && NEEDS_TICKS.includes(name)) continue;
  if (name === NEEDS_TIMERS_OF_NODE) continue;
  test(name, async () => record(name, await run(require('ws'), advance)));
}
