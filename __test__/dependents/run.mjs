/**
 * The suite of the dependents: installs them where that is needed, then runs their tests. Called by scripts/test.mjs.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './install.mjs';

const here = dirname(fileURLToPath(import.meta.url));

// Before there are several processes that would.
prepare();

const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs'));
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', ...files.map((name) => join(here, name))],
  { stdio: 'inherit' }
);
process.exitCode = status ?? 1;
