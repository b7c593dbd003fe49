/**
 * Runs the tests of a folder that has packages of its own: `node __test__/project-tests.mjs dependents`. Installs the packages
 * first, before the tests run as several processes. Called by scripts/test.mjs. `--all` adds cases of `environments` that the
 * suite leaves out.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL(`./${process.argv[2]}/`, import.meta.url));
const { prepare } = await import(new URL(`./${process.argv[2]}/install.mjs`, import.meta.url).href);
prepare();

const files = readdirSync(folder).filter((name) => name.endsWith('.test.mjs'));
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', ...files.map((name) => join(folder, name))],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(process.argv.includes('--all') && { FERROWS_ENVIRONMENTS: 'all' })
    }
  }
);
process.exitCode = status ?? 1;
