/**
 * Times what a newcomer waits for: `npm run newcomer`. In temporary folders, with caches of npm and Cargo that are empty;
 * the clone is one of this folder's HEAD, so the way of git over the network is not counted.
 *
 *     --tests            also from the clone to green tests
 *     --tarballs DIR     also from the installation of packages (`npm run pack`) to a first echo
 *     --no-clone         only that
 *
 * Prints a table. Does not belong here: what makes the tarballs, and what the commands do (ready.mjs, test.mjs).
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { root, withCargo } from './ready.mjs';

const { values: options } = parseArgs({
  options: {
    tests: { type: 'boolean', default: false },
    tarballs: { type: 'string' },
    'no-clone': { type: 'boolean', default: false }
  }
});

const folder = mkdtempSync(join(tmpdir(), 'ferrows-newcomer-'));

/** The environment of somebody who has a toolchain and nothing downloaded. */
function environment() {
  const cargo = join(folder, 'cargo');
  mkdirSync(cargo);
  // Where crates come from is a setting of the machine, not a cache.
  const settings = join(process.env.CARGO_HOME || join(homedir(), '.cargo'), 'config.toml');
  if (existsSync(settings)) copyFileSync(settings, join(cargo, 'config.toml'));
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...withCargo(process.env), CARGO_HOME: cargo, PORT: '0' };
  delete env.CARGO_TARGET_DIR;
  // What `npm run` has set for this script is not for the npm that it starts.
  for (const name of Object.keys(env)) if (/^npm_(?!config_registry)/i.test(name)) delete env[name];
  return { ...env, npm_config_cache: join(folder, 'npm') };
}

const env = environment();

/** @typedef {[what: string, seconds: number]} Row */
/** @type {Row[]} */
const rows = [];

/**
 * Does something, and notes how long it took.
 *
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} step
 * @returns {Promise<T>}
 */
async function timed(what, step) {
  const start = performance.now();
  const result = await step();
  rows.push([what, (performance.now() - start) / 1000]);
  return result;
}

/**
 * Runs a command to its end, its output shown.
 *
 * @param {string} cwd
 * @param {string} program
 * @param {...string} args
 * @throws {Error} it failed
 */
function run(cwd, program, ...args) {
  const { status, error } = spawnSync(program, args, {
    cwd,
    env,
    stdio: ['ignore', 'inherit', 'inherit']
  });
  if (status !== 0) {
    throw error ?? new Error(`"${[program, ...args].join(' ')}" ended with ${status}`);
  }
}

/**
 * Runs `npm start` until its page has been seen.
 *
 * @param {string} cwd the clone
 * @throws {Error} it ended before, or the page is not one
 */
async function startAndLook(cwd) {
  const child = spawn('npm', ['start'], {
    cwd,
    env,
    // A group of its own, so that it can be ended with all that it has started.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit']
  });
  const exit = once(child, 'exit');
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      console.log(line);
      const [url] = /http:\/\/\S+/.exec(line) ?? [];
      if (url === undefined) continue;
      const response = await fetch(url);
      if (!response.ok || !(await response.text()).includes('<html')) {
        throw new Error(`${url} answered with ${response.status} and no page`);
      }
      return;
    }
    throw new Error('"npm start" ended without a page');
  } finally {
    if (child.pid) process.kill(-child.pid, 'SIGTERM');
    await exit;
  }
}

/** A program that talks to itself. */
const ECHO = `
const { WebSocket, WebSocketServer } = require('ws');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
  const client = new WebSocket('ws://127.0.0.1:' + server.address().port);
  client.on('open', () => client.send('echo'));
  client.on('message', (data) => {
    console.log(require('ws/package.json').name, String(data));
    client.close();
    server.close();
  });
});
server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
`;

/**
 * Installs packed packages as `ws` and lets the program run.
 *
 * @param {string} tarballs a folder with that of ferrows, and of its platforms: npm takes the one that fits
 */
function installAndEcho(tarballs) {
  const project = join(folder, 'project');
  mkdirSync(project);
  /** @type {Record<string, string>} */
  const optionalDependencies = {};
  /** @type {Record<string, string>} */
  const dependencies = {};
  for (const file of readdirSync(tarballs).filter((name) => name.endsWith('.tgz'))) {
    const path = resolve(tarballs, file);
    const { stdout } = spawnSync('tar', ['-xOf', path, 'package/package.json'], {
      encoding: 'utf8'
    });
    const { name } = JSON.parse(stdout);
    if (name === 'ferrows') dependencies.ws = `file:${path}`;
    else optionalDependencies[name] = `file:${path}`;
  }
  if (!dependencies.ws) throw new Error(`there is no tarball of ferrows in ${tarballs}`);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, dependencies, optionalDependencies })
  );
  writeFileSync(join(project, 'echo.js'), ECHO);
  run(project, 'npm', 'install', '--no-audit', '--no-fund');
  run(project, process.execPath, 'echo.js');
}

try {
  if (!options['no-clone']) {
    const clone = join(folder, 'clone');
    await timed('clone', () => run(folder, 'git', 'clone', '--quiet', root, clone));
    await timed('npm start, to a live page', () => startAndLook(clone));
    await timed('npm start again, to a live page', () => startAndLook(clone));
    if (options.tests) await timed('npm test, to green', () => run(clone, 'npm', 'test'));
  }
  const { tarballs } = options;
  if (tarballs) await timed('installation, to a first echo', () => installAndEcho(tarballs));
  console.log();
  for (const [what, seconds] of rows) {
    console.log(`${what.padEnd(34)} ${seconds.toFixed(1).padStart(7)} s`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
