/**
 * Makes a clone ready to run: packages from npm, and the addon built from the sources where it is missing or old.
 * `npm start` and `npm test` call it first; there is nothing else to install by hand but Node and Rust. What it
 * cannot do it says in one sentence. No dependencies: it runs before there are any.
 *
 * Does not belong here: what is run afterwards (test.mjs, examples/).
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
/** What the addon compiles for: the systems of `napi.targets` in package.json. */
const PLATFORMS = ['linux', 'darwin', 'win32', 'freebsd'];
/** Where all the tests have passed. */
const TESTED = ['linux'];
/** Files and folders that the addon is made of. */
const SOURCES = ['src', '.cargo', 'Cargo.toml', 'Cargo.lock', 'build.rs'];

/** Something that only the user can mend; the message is the sentence to show. */
class NotReady extends Error {}

/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

/**
 * Runs a program, its output shown.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {string} otherwise the sentence for when it fails
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
 * @param {string} [folder] the root folder, if it is none
 */
export function npm(args, otherwise, folder = root) {
  const [program, ...rest] = npmCommand(...args);
  run(program, rest, otherwise, folder);
}

/**
 * The environment with rustup's folder on the path: a shell that was open when Rust was installed lacks it.
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
      `ferrows builds on ${PLATFORMS.join(', ')}, and this is ${process.platform}: nobody has tried that.`
    );
  }
}

/** What a user should know before the addon is built where the tests never ran. */
function warnOfPlatform() {
  if (TESTED.includes(process.platform)) return;
  console.log(
    `The addon compiles for ${process.platform}, but its tests have passed on ${TESTED.join(', ')} only. See whether it works with "node scripts/smoke.cjs".`
  );
}

/** Throws unless there is a Rust toolchain that is new enough. */
export function checkRust() {
  const wanted = /^rust-version = "(\d+)\.(\d+)/m.exec(read('Cargo.toml'));
  const minimum = `${wanted?.[1]}.${wanted?.[2]}`;
  const { stdout } = spawnSync('cargo', ['--version'], {
    cwd: root,
    encoding: 'utf8',
    env: withCargo(process.env)
  });
  const found = /^cargo (\d+)\.(\d+)/.exec(stdout ?? '');
  if (!found) {
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

/** Whether node_modules holds what package-lock.json asks for. npm keeps its own list of what it installed there. */
function packagesAreFresh() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = JSON.parse(read('package-lock.json')).packages;
  const installed = JSON.parse(read('node_modules/.package-lock.json')).packages;
  return Object.entries(wanted).every(([path, { version, optional, peer }]) => {
    if (path === '') return true;
    const found = installed[path];
    // Optional packages for other platforms are left out by npm.
    return found ? found.version === version : Boolean(optional ?? peer);
  });
}

/**
 * The time of the last change below a path, 0 if there is nothing.
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

/** Whether there is an addon for this platform that is newer than everything it is made of. */
function addonIsFresh() {
  const prefix = `ferrows.${process.platform}-${process.arch}`;
  const addons = readdirSync(root).filter(
    (name) => name.startsWith(prefix) && name.endsWith('.node')
  );
  const built = Math.max(0, ...addons.map((name) => lastChange(join(root, name))));
  return built > Math.max(...SOURCES.map((name) => lastChange(join(root, name))));
}

/** Does all that is needed; throws with the sentence to show. */
export function ready() {
  checkNode();
  checkPlatform();
  if (!packagesAreFresh()) {
    console.log('Installing the packages of package-lock.json ...');
    npm(
      ['ci', '--no-audit', '--no-fund'],
      '"npm ci" failed: see what it said above, mend that and run this again.'
    );
  }
  if (!addonIsFresh()) {
    checkRust();
    warnOfPlatform();
    console.log('Building the addon (one to three minutes the first time) ...');
    npm(
      ['run', '--silent', 'build'],
      'The addon could not be built: see what the compiler said above.'
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
