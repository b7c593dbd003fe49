// Every specification, concurrently, as ava does.

import test from 'ava';
import * as api from 'ws';
import record from '../record.cjs';
import specs from '../specs.cjs';

for (const [name, run] of Object.entries(specs)) {
  test(name, async (t) => {
    record(name, await run(api));
    t.pass();
  });
}
