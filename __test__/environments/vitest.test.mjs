/**
 * Vitest, in each of its pools. The files are in project/vitest/.
 */

import { compare } from './compare.mjs';

for (const pool of ['threads', 'forks', 'vmThreads', 'vmForks']) {
  const args = [
    '--no-warnings',
    'node_modules/vitest/vitest.mjs',
    'run',
    '--root=vitest',
    `--pool=${pool}`
  ];
  compare(`Vitest, ${pool}, not isolated`, [...args, '--no-isolate'], {
    isGate: false,
    records: 20
  });
  compare(`Vitest, ${pool}`, args, {
    isGate: pool === 'threads' || pool === 'vmForks',
    records: 20
  });
}
