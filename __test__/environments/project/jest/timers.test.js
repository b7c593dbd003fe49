'use strict';

// Timers are faked before ws is loaded; FAKE is the kind.

const record = require('../record.cjs');
const specs = require('../timers.cjs');

const isLegacy = process.env.FAKE === 'legacy';

beforeEach(() => {
  jest.useFakeTimers(isLegacy ? { legacyFakeTimers: true } : {});
});

afterEach(() => {
  jest.useRealTimers();
});

const advance = isLegacy
  ? (milliseconds) => jest.advanceTimersByTime(milliseconds)
  : (milliseconds) => jest.advanceTimersByTimeAsync(milliseconds);

for (const [name, run] of Object.entries(specs)) {
  test(name, async () => record(name, await run(require('ws'), advance)));
}
