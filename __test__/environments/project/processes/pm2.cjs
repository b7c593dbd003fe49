'use strict';

// PM2 reloads a cluster without an interruption: clients are closed, and reconnect.

const { once } = require('node:events');
const net = require('node:net');
const { join } = require('node:path');
const { promisify } = require('node:util');

process.env.PM2_HOME = join(process.env.TMPDIR, 'pm2');
process.env.PM2_DISABLE_VERSION_CHECK = 'true';

const pm2 = require('pm2');
const record = require('../record.cjs');
const WebSocket = require('ws');

const call = (name, ...args) => promisify(pm2[name].bind(pm2))(...args);

(async () => {
  // The workers of a cluster share a fixed port.
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  await once(free, 'close');
  await call('connect');
  try {
    await call('start', {
      name: 'app',
      script: join(__dirname, 'pm2-app.cjs'),
      exec_mode: 'cluster',
      instances: 2,
      wait_ready: true,
      kill_timeout: 5000,
      env: { APP_PORT: String(port) }
    });
    const visit = async () => {
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      const [greeting] = await once(client, 'message');
      client.send('echo');
      const [echo] = await once(client, 'message');
      return { client, pid: String(greeting).split(' ')[2], echo: String(echo) };
    };
    const before = await Promise.all(Array.from({ length: 6 }, visit));
    const closed = before.map(({ client }) => once(client, 'close'));
    await call('reload', 'app');
    const codes = (await Promise.all(closed)).map(([code, reason]) => [code, String(reason)]);
    const after = await Promise.all(Array.from({ length: 6 }, visit));
    const old = new Set(before.map(({ pid }) => pid));
    record('a reload', [
      old.size,
      codes,
      after.map(({ pid, echo }) => [old.has(pid), echo]),
      (await call('list')).map(({ pm2_env: { status, unstable_restarts: restarts } }) => [
        status,
        restarts
      ])
    ]);
    for (const { client } of after) client.terminate();
  } finally {
    await call('killDaemon');
    pm2.disconnect();
  }
  process.exit();
})();
