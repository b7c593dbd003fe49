// Every specification, as ESM: with --experimental-vm-modules.

import * as namespace from 'ws';
import { WebSocket, WebSocketServer } from 'ws';
import additions from '../additions.cjs';
import record from '../record.cjs';
import specs from '../specs.cjs';

test('the names', () => {
  record('the names', [
    Object.keys(namespace)
      .filter((name) => !additions.includes(name))
      .sort(),
    namespace.WebSocketServer === WebSocketServer,
    namespace.default === WebSocket
  ]);
});

for (const [name, run] of Object.entries(specs)) {
  test(name, async () => record(name, await run(namespace)));
}
