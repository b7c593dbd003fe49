/**
 * Runs the tests of a folder that need packages of their own: `node __test__/project-tests.mjs dependents`. Installs them first,
 * before there are several processes that would. Called by scripts/test.mjs. `--all` adds the cases of `environments` that are
 * not in the gate.
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
