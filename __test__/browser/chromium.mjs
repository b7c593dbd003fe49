// Finds the Chromium that the browser tests drive, or installs it on Debian as root. Run as a script (`node
// __test__/browser/chromium.mjs`) it prints the path of the executable, for the preparation of a machine.
import { fileURLToPath } from 'node:url';

import { findProgram } from '../debian.mjs';

/** Options of a browser that may run as root and connects to the tests only. */
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
 * Returns the path of an executable Chromium, and installs Debian's package where possible.
 *
 * CHROMIUM_PATH, if set, is the only path tried.
 *
 * @returns {string} absolute path
 * @throws {Error} a sentence with the cause and the remedy
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
