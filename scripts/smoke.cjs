/**
 * Asks whether the package works where it runs: `node scripts/smoke.cjs [MODULE]` requires the module (this package,
 * unless another is named, as one would in the current folder), and sends messages to and fro over each transport, plain
 * and with permessage-deflate, in a worker and then in the main thread. Prints what carried them. The release runs it on
 * each platform; it needs nothing but Node. `--tarballs FOLDER` installs the packages there into an empty folder by npm,
 * and asks for what was installed.
 *
 * Does not belong here: whether what works is right, which the tests ask.
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

/** Longer than all of it takes on an emulated processor, in milliseconds. */
const TIMEOUT = 300_000;

/** @type {('event_loop' | 'io_threads' | 'stream')[]} */
const TRANSPORTS = ['event_loop', 'io_threads', 'stream'];

const large = Buffer.alloc(1024 * 1024);
for (let at = 0; at < large.length; at++) large[at] = (at >> 10) + at;

/** Texts and bytes of one frame, of several reads, and of none. @type {(string | Buffer)[]} */
const MESSAGES = ['', 'Grüße, 世界', Buffer.from([0, 1, 254, 255]), 'x'.repeat(70_000), large];

/** The transport of a connection. Servers tell by stats(), clients by nothing: this looks inside. @param {any} ws */
const carrier = (ws) =>
  Object.getOwnPropertySymbols(ws)
    .map((key) => ws[key])
    .find((value) => value?.kind).kind;

/**
 * Installs packages of all platforms: to choose among them is the loader's business then, and not npm's.
 *
 * @param {string} tarballs the folder that they are in
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
 * A server that echoes, a client that checks, and their ends.
 *
 * @param {string} file the module
 * @param {typeof TRANSPORTS[number]} transport
 * @param {boolean} perMessageDeflate
 * @returns {Promise<string>} what carried the messages
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
      // Windows has no descriptors to take over, and other runtimes not all of what it takes.
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
  // It would choose for all.
  delete process.env.FERROWS_TRANSPORT;
  // First in a worker: the system may unload the addon when that ends, and load it again.
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
  // That the process then ends by itself is part of what is asked.
  main(file).finally(() => limit.unref());
} else {
  runAll(workerData, 'worker');
}
