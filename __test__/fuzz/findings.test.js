'use strict';

// Findings where ws cannot be the oracle, because it has the same defect or a worse one. Other findings are seeds of their
// targets, and scenarios.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createServer } = require('node:net');
const test = require('node:test');

const WebSocket = require('../subject.cjs');

test('a redirect to an invalid target is an error, not the end of the process', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 301 Moved\r\nLocation: ws+unix:: :\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ws = new WebSocket(`ws://127.0.0.1:${server.address().port}`, { followRedirects: true });
  const closed = new Promise((resolve) => {
    ws.on('close', resolve);
  });
  const [error] = await once(ws, 'error');
  assert.equal(error.code, 'ERR_UNESCAPED_CHARACTERS');
  assert.equal(await closed, 1006);
  server.close();
  await once(server, 'close');
});
