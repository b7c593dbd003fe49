// Finds the Chromium that the browser tests drive; on Debian and as root it installs one when there is none.
// Called by the tests here and, as a script (`node __test__/browser/chromium.mjs`), by whoever prepares a machine:
// it prints the executable's path. Launch options and pages do not belong here.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function apt(...args) {
  const { status, error } = spawnSync('apt-get', ['-q', ...args], {
    // What apt says goes to standard error: standard output carries the path alone.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  });
  if (error !== undefined || status !== 0) {
    throw new Error(
      `Chromium is missing and 'apt-get ${args.join(' ')}' failed ` +
        `(${error?.message ?? `exit status ${status}`}); install Chromium or set CHROMIUM_PATH.`
    );
  }
}

/** For a browser that may run as root and is to talk to nobody but the test. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];

/**
 * Gives the path of an executable Chromium, installing Debian's package where that is possible.
 *
 * CHROMIUM_PATH, when set, is the only place looked at.
 *
 * @returns {string} absolute path
 * @throws {Error} one sentence saying why there is no Chromium and what to do
 */
export function chromiumPath() {
  const wanted = process.env.CHROMIUM_PATH;
  if (wanted) {
    if (isExecutable(wanted)) return wanted;
    throw new Error(`CHROMIUM_PATH is ${wanted}, which is not an executable file.`);
  }

  const found = PLACES.find(isExecutable);
  if (found !== undefined) return found;

  if (
    process.platform !== 'linux' ||
    process.getuid?.() !== 0 ||
    !isExecutable('/usr/bin/apt-get')
  ) {
    throw new Error(
      'Chromium is missing and can only be installed here by root on Debian; ' +
        'install it or set CHROMIUM_PATH to its executable.'
    );
  }
  apt('update');
  apt('install', '--yes', '--no-install-recommends', 'chromium', 'fonts-dejavu-core');

  const installed = PLACES.find(isExecutable);
  if (installed === undefined) {
    throw new Error(
      "apt-get installed 'chromium' but none of the usual paths holds it; set CHROMIUM_PATH."
    );
  }
  return installed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${chromiumPath()}\n`);
  } catch (err) {
    process.stderr.write(`${err.message}\n`);
    process.exitCode = 1;
  }
}
