'use strict';

// Timers are faked before ws is loaded. FAKE is the kind: `all` has process.nextTick among them.

const record = require('../record.cjs');
const specs = require('../timers.cjs');

const { FAKE } = process.env;
const isLegacy = FAKE === 'legacy';

/** What ws does in a later tick, and so does not do while ticks are faked. */
const NEEDS_TICKS = ['a message that is too large', 'refusals'];
/** The timer of a request is one of Node itself, which Jest does not fake. */
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
