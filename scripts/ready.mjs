/**
 * Prepares a clone: installs the packages from npm, and builds the addon if it is missing or older than its sources. Called first
 * by `npm start`, `npm test` and other commands, so that only Node and Rust are installed by hand. Fails with one sentence that
 * names the remedy. Imports no package: none is installed yet.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { npmCommand } from './npm.mjs';

/** The folder of package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const NODE_MAJOR = 20;
/** Systems that the addon compiles for: those of `napi.targets` in package.json. */
const PLATFORMS = ['linux', 'darwin', 'win32', 'freebsd'];
/** Systems that all tests have passed on. */
const TESTED = ['linux'];
/** Files and folders that the addon is built from. */
const SOURCES = ['src', '.cargo', 'Cargo.toml', 'Cargo.lock', 'build.rs'];

/** A failure that only the user can mend; the message is the sentence to show. */
class NotReady extends Error {}

/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

/**
 * Runs a program and shows its output.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {string} otherwise the sentence to show if it fails
 * @param {string} cwd
 */
function run(program, args, otherwise, cwd) {
  const { status, error } = spawnSync(program, args, {
    cwd,
    env: withCargo(process.env),
    // On Windows npm is a script.
    shell: program.endsWith('.cmd'),
    stdio: ['ignore', 'inherit', 'inherit']
  });
  if (status !== 0) throw new NotReady(error ? `${otherwise} (${error.message})` : otherwise);
}

/**
 * Runs npm.
 *
 * @param {string[]} args
 * @param {string} otherwise
 * @param {string} [folder] the working directory; the root folder by default
 */
export function npm(args, otherwise, folder = root) {
  const [program, ...rest] = npmCommand(...args);
  run(program, rest, otherwise, folder);
}

/**
 * The environment with Cargo's folder on the path, which a shell lacks that was open when Rust was installed.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function withCargo(env) {
  const folder = join(env.CARGO_HOME || join(homedir(), '.cargo'), 'bin');
  if ((env.PATH ?? '').split(delimiter).includes(folder)) return env;
  return { ...env, PATH: `${env.PATH ?? ''}${delimiter}${folder}` };
}

function checkNode() {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
    throw new NotReady(
      `ferrows needs Node.js ${NODE_MAJOR} or newer and this is ${process.version}: install a current one from https://nodejs.org.`
    );
  }
}

function checkPlatform() {
  if (!PLATFORMS.includes(process.platform)) {
    throw new NotReady(
      `ferrows builds on ${PLATFORMS.join(', ')}, and this is ${process.platform}.`
    );
  }
}

/** Warns before the addon is built for a system that the tests have not passed on. */
function warnOfPlatform() {
  if (TESTED.includes(process.platform)) return;
  console.log(
    `The addon compiles for ${process.platform}, but its tests have passed on ${TESTED.join(', ')} only. "node scripts/smoke.cjs" tries it.`
  );
}

/** Checks the Rust toolchain. @throws {NotReady} it is missing, or older than `rust-version` in Cargo.toml */
export function checkRust() {
  const wanted = /^rust-version = "(\d+)\.(\d+)/m.exec(read('Cargo.toml'));
  const minimum = `${wanted?.[1]}.${wanted?.[2]}`;
  const { stdout, stderr } = spawnSync('cargo', ['--version'], {
    cwd: root,
    encoding: 'utf8',
    env: withCargo(process.env)
  });
  const found = /^cargo (\d+)\.(\d+)/.exec(stdout ?? '');
  if (!found) {
    // rustup runs, and the toolchain of rust-toolchain.toml is neither installed nor to be had.
    if (stderr) throw new NotReady(`"cargo --version" failed: ${stderr.trim()}`);
    throw new NotReady(
      `ferrows is built from source and needs Rust ${minimum} or newer, but there is no cargo: install Rust from https://rustup.rs and run this again.`
    );
  }
  if (
    Number(found[1]) * 1000 + Number(found[2]) <
    Number(wanted?.[1]) * 1000 + Number(wanted?.[2])
  ) {
    throw new NotReady(
      `ferrows needs Rust ${minimum} or newer and this is ${found[1]}.${found[2]}: run "rustup update" (or install Rust from https://rustup.rs) and run this again.`
    );
  }
}

/** True if node_modules is that of package-lock.json. npm lists the packages that it installed in a file of its own. */
function packagesAreFresh() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = JSON.parse(read('package-lock.json')).packages;
  const installed = JSON.parse(read('node_modules/.package-lock.json')).packages;
  return Object.entries(wanted).every(([path, { version, optional, peer }]) => {
    if (path === '') return true;
    const found = installed[path];
    // npm leaves out the optional packages of other platforms.
    return found ? found.version === version : Boolean(optional ?? peer);
  });
}

/**
 * The time of the last change below a path, 0 if it does not exist.
 *
 * @param {string} path
 * @returns {number} milliseconds
 */
function lastChange(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => lastChange(join(path, name))));
}

/** True if there is an addon for this platform that is newer than its sources. */
function addonIsFresh() {
  const prefix = `ferrows.${process.platform}-${process.arch}`;
  const addons = readdirSync(root).filter(
    (name) => name.startsWith(prefix) && name.endsWith('.node')
  );
  const built = Math.max(0, ...addons.map((name) => lastChange(join(root, name))));
  return built > Math.max(...SOURCES.map((name) => lastChange(join(root, name))));
}

/** Installs and builds the missing parts. @throws {NotReady} */
export function ready() {
  checkNode();
  checkPlatform();
  const isBuilt = addonIsFresh();
  // Before the packages, which take a while to install.
  if (!isBuilt) checkRust();
  if (!packagesAreFresh()) {
    console.log('Installing the packages of package-lock.json ...');
    npm(
      ['ci', '--no-audit', '--no-fund'],
      '"npm ci" failed: its output above has the cause. Run this again afterwards.'
    );
  }
  if (!isBuilt) {
    warnOfPlatform();
    console.log('Building the addon (one to three minutes the first time) ...');
    npm(
      ['run', '--silent', 'build'],
      'The addon could not be built: the output of the compiler is above.'
    );
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    ready();
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}
