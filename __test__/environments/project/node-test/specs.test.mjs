// Every specification, and mocks of methods.

import { mock, test } from 'node:test';
import * as api from 'ws';
import record from '../record.cjs';
import specs from '../specs.cjs';

for (const [name, run] of Object.entries(specs)) {
  test(name, async () => record(name, await run(api)));
}

test('mock.method', async () => {
  const names = ['send', 'ping', 'pong', 'close', 'emit', 'terminate'];
  const mocks = names.map((name) => mock.method(api.WebSocket.prototype, name));
  await specs['an echo'](api);
  record(
    'mock.method',
    mocks.map(({ mock: { calls } }, index) => [names[index], calls.length])
  );
  mock.reset();
});

test('mock.method with an implementation', async () => {
  const sent = [];
  const send = mock.method(api.WebSocket.prototype, 'send', (data) => sent.push(String(data)));
  const ws = new api.WebSocket('ws://127.0.0.1:1');
  ws.on('error', () => {});
  ws.send('text');
  mock.reset();
  record('mock.method with an implementation', [sent, send.mock?.callCount() ?? 0]);
});
