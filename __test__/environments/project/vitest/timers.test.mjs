// Timers are faked before ws is loaded. FAKE=all fakes process.nextTick and queueMicrotask, too.

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
  test(name, async () => {
    const api = await import('ws');
    record(`faked: ${name}`, await run(api, (time) => vi.advanceTimersByTimeAsync(time)));
  });
}
