// Every specification, twice, in the POOL of vitest/config.mjs.

import * as api from 'ws';
import { expect, test, vi } from 'vitest';
import record from '../record.cjs';
import specs from '../specs.cjs';

for (const [name, run] of Object.entries(specs)) {
  test(name, async () => record(name, await run(api)));
}

test('vi.spyOn', async () => {
  const names = ['send', 'ping', 'pong', 'close', 'emit'];
  const spies = names.map((name) => vi.spyOn(api.WebSocket.prototype, name));
  await specs['an echo'](api);
  expect(spies[0].mock.calls.length).toBeGreaterThan(0);
  record(
    'vi.spyOn',
    spies.map((spy, index) => [names[index], spy.mock.calls.length])
  );
  vi.restoreAllMocks();
});
