// Automock of the whole package.

import * as api from 'ws';
import { test, vi } from 'vitest';
import record from '../record.cjs';

vi.mock('ws');

const { default: WebSocket } = api;

test('vi.mock', () => {
  const ws = new WebSocket('ws://127.0.0.1:1');
  ws.send('text');
  record('vi.mock', [
    ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].map((name) => WebSocket[name]),
    ['send', 'ping', 'pong', 'close', 'on', 'terminate'].map((name) => vi.isMockFunction(ws[name])),
    ws.send.mock.calls
  ]);
});
