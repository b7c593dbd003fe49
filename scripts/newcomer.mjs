/**
 * Times the first commands of a newcomer: `npm run newcomer`. Runs in temporary folders, with empty caches of npm and Cargo, on a
 * clone of this folder's HEAD: the time of git over the network is not included.
 *
 *     --tests            also times `npm test`
 *     --tarballs DIR     also times the installation of packages (`npm run pack`) and a first echo
 *     --no-clone         only times that
 *
 * Prints a table.
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

/** The environment of a machine with a toolchain and empty caches. */
function environment() {
  const cargo = join(folder, 'cargo');
  mkdirSync(cargo);
  // The source of crates is a setting of the machine, not a cache.
  const settings = join(process.env.CARGO_HOME || join(homedir(), '.cargo'), 'config.toml');
  if (existsSync(settings)) copyFileSync(settings, join(cargo, 'config.toml'));
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...withCargo(process.env), CARGO_HOME: cargo, PORT: '0' };
  delete env.CARGO_TARGET_DIR;
  // `npm run` sets variables for this script that would configure the npm started here.
  for (const name of Object.keys(env)) if (/^npm_(?!config_registry)/i.test(name)) delete env[name];
  return { ...env, npm_config_cache: join(folder, 'npm') };
}

const env = environment();

/** @typedef {[step: string, seconds: number]} Row */
/** @type {Row[]} */
const rows = [];

/**
 * Runs a step and records its duration.
 *
 * @template T
 * @param {string} name
 * @param {() => T | Promise<T>} step
 * @returns {Promise<T>}
 */
async function timed(name, step) {
  const start = performance.now();
  const result = await step();
  rows.push([name, (performance.now() - start) / 1000]);
  return result;
}

/**
 * Runs a command and shows its output.
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
 * Runs `npm start` until it serves its page.
 *
 * @param {string} cwd the clone
 * @throws {Error} it ended early, or served no page
 */
async function startAndFetch(cwd) {
  const child = spawn('npm', ['start'], {
    cwd,
    env,
    // A process group, so that its children end with it.
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

/** A program with a server and a client. */
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
 * Installs packed packages as `ws` and runs the program.
 *
 * @param {string} tarballs a folder with the package of ferrows and those of platforms, of which npm installs one
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
    await timed('npm start, to a live page', () => startAndFetch(clone));
    await timed('npm start again, to a live page', () => startAndFetch(clone));
    if (options.tests) await timed('npm test, to green', () => run(clone, 'npm', 'test'));
  }
  const { tarballs } = options;
  if (tarballs) await timed('installation, to a first echo', () => installAndEcho(tarballs));
  console.log();
  for (const [name, seconds] of rows) {
    console.log(`${name.padEnd(34)} ${seconds.toFixed(1).padStart(7)} s`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
