// mock.timers: everything that it can mock.

import { mock, test } from 'node:test';
import record from '../record.cjs';
import specs from '../timers.cjs';

for (const [name, run] of Object.entries(specs)) {
  test(name, async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] });
    const api = await import('ws');
    record(`faked: ${name}`, await run(api, (time) => mock.timers.tick(time)));
    mock.timers.reset();
  });
}
