/**
 * Programs that tests need and npm has not: finds them, and on Debian installs the packages that hold them, as root.
 * Used by the browser, Python and Redis tests. What the programs are started with does not belong here.
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
    // What apt says goes to standard error: the standard output of a test is its report.
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
 * @throws {Error} this is no Debian, we are not root, or apt failed
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
 * Gives the path of a program, installing it where that is possible.
 *
 * @param {object} wanted
 * @param {string} wanted.name for the sentence that says what is missing
 * @param {string} wanted.variable an environment variable; when it is set, its path is the only place looked at
 * @param {string[]} wanted.places paths to look at, the best first
 * @param {string[]} wanted.packages Debian packages that put it in one of these
 * @returns {string} absolute path
 * @throws {Error} one sentence saying why there is none and what to do
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
