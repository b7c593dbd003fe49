// Timers are faked before ws is loaded: those that Vitest fakes by default, without process.nextTick.

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
  // Node sets the timer of a request internally, where Vitest does not fake it.
  if (name === 'a handshake that takes too long') continue;
  test(name, async () => {
    const api = await import('ws');
    record(`faked: ${name}`, await run(api, (time) => vi.advanceTimersByTimeAsync(time)));
  });
}
