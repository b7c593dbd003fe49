// Timers are faked before ws is loaded: what Vitest fakes by itself, which is not process.nextTick.

import { afterEach, beforeEach, test, vi } from 'vitest';
import record from '../record.cjs';
import specs from '../timers.cjs';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

for (const [name, run] of Object.entries(specs)) {
  // The timer of a request is one of Node itself, which Vitest does not fake.
  if (name === 'a handshake that takes too long') continue;
  test(name, async () => {
    const api = await import('ws');
    record(`faked: ${name}`, await run(api, (time) => vi.advanceTimersByTimeAsync(time)));
  });
}
