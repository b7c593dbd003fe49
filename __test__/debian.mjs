/**
 * Finds programs that tests need and npm does not provide, and installs their packages on Debian as root. Used by the browser,
 * Python and Redis tests.
 */

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {...string} args */
function apt(...args) {
  const { status, error } = spawnSync('apt-get', ['-q', ...args], {
    // Output of apt goes to standard error: the standard output of a test is its report.
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  });
  if (error !== undefined || status !== 0) {
    throw new Error(
      `'apt-get ${args.join(' ')}' failed (${error?.message ?? `exit status ${status}`})`
    );
  }
}

/**
 * Installs Debian packages.
 *
 * @param {...string} packages
 * @throws {Error} the system is not Debian, the user is not root, or apt failed
 */
export function installPackages(...packages) {
  if (
    process.platform !== 'linux' ||
    process.getuid?.() !== 0 ||
    !isExecutable('/usr/bin/apt-get')
  ) {
    throw new Error('it can only be installed here by root on Debian');
  }
  apt('update');
  apt('install', '--yes', '--no-install-recommends', ...packages);
}

/**
 * Finds a program, and installs it where possible.
 *
 * @param {object} wanted
 * @param {string} wanted.name for the error message
 * @param {string} wanted.variable an environment variable; if set, its path is the only one tried
 * @param {string[]} wanted.places paths to try, the best first
 * @param {string[]} wanted.packages Debian packages with one of these paths
 * @returns {string} absolute path
 * @throws {Error} a sentence with the cause and the remedy
 */
export function findProgram({ name, variable, places, packages }) {
  const chosen = process.env[variable];
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Error(`${variable} is ${chosen}, which is not an executable file.`);
  }
  const find = () => places.find(isExecutable);
  let found = find();
  if (found !== undefined) return found;
  try {
    installPackages(...packages);
    found = find();
    if (found === undefined) throw new Error('its packages are installed, without it');
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Error(`${name} is missing, and ${reason}: install it or set ${variable}.`, {
      cause: error
    });
  }
  return found;
}
