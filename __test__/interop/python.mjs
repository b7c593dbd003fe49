/**
 * Python for the tests: a virtual environment below target/ with the packages of requirements.txt, created on first use, and
 * programs in it that communicate by lines of JSON. Used by the interop and Autobahn tests.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../debian.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const environment = join(here, '../../target/interop-venv');
const python = join(environment, 'bin/python');

/**
 * Runs a program with its output shown.
 *
 * @param {string} program
 * @param {string[]} args
 * @returns {boolean} true on success
 */
function run(program, ...args) {
  const { status } = spawnSync(program, args, {
    // To standard error: the standard output of a test is its report.
    stdio: ['ignore', process.stderr.fd, process.stderr.fd]
  });
  return status === 0;
}

function makeEnvironment() {
  const make = () => {
    rmSync(environment, { recursive: true, force: true });
    return run('python3', '-m', 'venv', environment);
  };
  if (make()) return;
  try {
    // Debian keeps venv in a package of its own.
    installPackages('python3', 'python3-venv');
    if (make()) return;
    throw new Error('its packages are installed, but it makes no environment');
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Error(
      `These tests need Python 3.10 or newer with its venv module, and ${reason}: install them and run this again.`,
      { cause: error }
    );
  }
}

/**
 * The interpreter of the environment, which is created if it is missing or has other packages.
 *
 * @returns {string} its path
 * @throws {Error} if Python is missing or pip failed
 */
export function preparePython() {
  const requirements = join(here, 'requirements.txt');
  const wanted = readFileSync(requirements, 'utf8');
  // Written last, so that an interrupted installation counts as missing.
  const installed = join(environment, 'installed.txt');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return python;
  makeEnvironment();
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
  if (!run(python, '-m', 'pip', 'install', ...options, '--requirement', requirements)) {
    throw new Error('pip could not install the packages of __test__/interop/requirements.txt.');
  }
  writeFileSync(installed, wanted);
  return python;
}

/**
 * Starts a Python program that ends with its standard input.
 *
 * @param {string} script its path
 * @param {...string} args
 * @returns {{ line: () => Promise<any>, end: () => Promise<number | null> }} `line` returns the next line it printed, parsed as
 *   JSON; `end`
 *   closes its input and returns its exit code
 */
export function startPython(script, ...args) {
  const child = spawn(preparePython(), ['-u', script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit']
  });
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${script} ended without printing the expected line`);
      return JSON.parse(value);
    },
    async end() {
      child.stdin.end();
      const [code] = await exit;
      return code;
    }
  };
}
