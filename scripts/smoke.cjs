/**
 * Checks that the package works on this machine: `node scripts/smoke.cjs [MODULE]` requires the module (this package by default,
 * resolved from the current folder), and exchanges messages over each transport, plain and with permessage-deflate, in a worker and
 * then in the main thread. Prints the transport that carried them. `--tarballs FOLDER` installs the packages of a folder by npm and
 * tries those. Needs nothing but Node. The release workflow runs it on each platform; the test suites check correctness.
 */

'use strict';

const assert = require('assert/strict');
const { spawnSync } = require('child_process');
const { once } = require('events');
const { mkdtempSync, readdirSync, rmSync, writeFileSync } = require('fs');
const { createRequire } = require('module');
const { tmpdir } = require('os');
const path = require('path');
const { Worker, isMainThread, workerData } = require('worker_threads');

/** Milliseconds for everything, enough for an emulated processor. */
const TIMEOUT = 300_000;

/** @type {('event_loop' | 'io_threads' | 'stream')[]} */
const TRANSPORTS = ['event_loop', 'io_threads', 'stream'];

const large = Buffer.alloc(1024 * 1024);
for (let at = 0; at < large.length; at++) large[at] = (at >> 10) + at;

/** Empty, text, bytes, and messages of several reads. @type {(string | Buffer)[]} */
const MESSAGES = ['', 'Grüße, 世界', Buffer.from([0, 1, 254, 255]), 'x'.repeat(70_000), large];

/** The transport of a connection, from its private state: clients have no stats(). @param {any} ws */
const carrier = (ws) =>
  Object.getOwnPropertySymbols(ws)
    .map((key) => ws[key])
    .find((value) => value?.kind).kind;

/**
 * Installs the packages of all platforms, so that the loader chooses among them instead of npm.
 *
 * @param {string} tarballs their folder
 * @param {string} folder
 */
function install(tarballs, folder) {
  const files = readdirSync(tarballs)
    .filter((file) => file.endsWith('.tgz'))
    .map((file) => path.resolve(tarballs, file));
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  const { status, error } = spawnSync(
    'npm',
    ['install', '--force', '--no-audit', '--no-fund', '--ignore-scripts', ...files],
    // On Windows npm is a script.
    { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' }
  );
  assert.equal(status, 0, error);
}

/**
 * Runs an echo server and a client that checks, and closes both.
 *
 * @param {string} file the module
 * @param {typeof TRANSPORTS[number]} transport
 * @param {boolean} perMessageDeflate
 * @returns {Promise<string>} the transports that carried the messages
 */
async function run(file, transport, perMessageDeflate) {
  /** @type {typeof import('../index.js')} */
  const { WebSocket, WebSocketServer } = require(file);
  const options = { transport, perMessageDeflate };
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(server, 'listening');
  server.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  const { port } = /** @type {import('net').AddressInfo} */ (server.address());
  const client = new WebSocket(`ws://127.0.0.1:${port}`, options);
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
  assert.equal(client.extensions, perMessageDeflate ? 'permessage-deflate' : '');

  let arrived = 0;
  const all = new Promise((resolve) => {
    client.on('message', (data, isBinary) => {
      const sent = MESSAGES[arrived++];
      assert.equal(isBinary, typeof sent !== 'string');
      assert.ok(Buffer.from(sent).equals(/** @type {Buffer} */ (data)), `message ${arrived}`);
      if (arrived === MESSAGES.length) resolve(undefined);
    });
  });
  for (const message of MESSAGES) client.send(message);
  await all;
  const pong = once(client, 'pong');
  client.ping('?');
  assert.equal(String((await pong)[0]), '?');

  const carriers = new Set([carrier(accepted), carrier(client)]);
  const closed = Promise.all([once(accepted, 'close'), once(client, 'close')]);
  client.close(3000, 'enough');
  for (const [code, reason] of await closed) {
    assert.deepEqual([code, String(reason)], [3000, 'enough']);
  }
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return [...carriers].join(' and ');
}

/**
 * @param {string} file the module
 * @param {string} where the thread
 */
async function runAll(file, where) {
  for (const transport of TRANSPORTS) {
    for (const perMessageDeflate of [false, true]) {
      const used = await run(file, transport, perMessageDeflate);
      const how = perMessageDeflate ? 'permessage-deflate' : 'plain';
      console.log(
        `${where}, ${transport}, ${how}: ${MESSAGES.length} messages, carried by ${used}`
      );
      // Sockets are adopted by their descriptors: not on Windows, and only in Node.
      const { platform, versions } = process;
      if (platform !== 'win32' && !versions.bun && !versions.deno) assert.equal(used, transport);
    }
  }
}

/** @param {string} file the module */
async function main(file) {
  const { arch, platform, version, versions } = process;
  const runtime = versions.bun ? `Bun ${versions.bun}` : `Node.js ${version}`;
  console.log(`${runtime}, ${platform} ${arch}, ${file}`);
  // It would override the option.
  delete process.env.FERROWS_TRANSPORT;
  // A worker first: the system may unload the addon when the worker ends, and load it again.
  const worker = new Worker(__filename, { workerData: file });
  const [code] = await once(worker, 'exit');
  assert.equal(code, 0);
  await runAll(file, 'main thread');
}

if (isMainThread) {
  let [name = path.dirname(__dirname), tarballs] = process.argv.slice(2);
  let folder = process.cwd();
  if (name === '--tarballs') {
    name = 'ferrows';
    folder = mkdtempSync(path.join(tmpdir(), 'ferrows-smoke-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    install(tarballs, folder);
  }
  const limit = setTimeout(() => {
    console.error(`not done after ${TIMEOUT / 1000} s`);
    process.exit(1);
  }, TIMEOUT);
  const file = createRequire(path.join(folder, 'smoke.cjs')).resolve(name);
  // The process must end by itself then.
  main(file).finally(() => limit.unref());
} else {
  runAll(workerData, 'worker');
}
