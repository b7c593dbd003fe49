// Finds the Chromium that the browser tests drive; on Debian and as root it installs one when there is none.
// Called by the tests here and, as a script (`node __test__/browser/chromium.mjs`), by whoever prepares a machine:
// it prints the executable's path. Launch options and pages do not belong here.
import { fileURLToPath } from 'node:url';

import { findProgram } from '../debian.mjs';

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
  return findProgram({
    name: 'Chromium',
    variable: 'CHROMIUM_PATH',
    places: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
    packages: ['chromium', 'fonts-dejavu-core']
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${chromiumPath()}\n`);
  } catch (err) {
    process.stderr.write(`${err.message}\n`);
    process.exitCode = 1;
  }
}
