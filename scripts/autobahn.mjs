/**
 * Runs all Autobahn cases over each transport, or over the named ones: `npm run autobahn [-- TRANSPORT...]`. The suite `autobahn`
 * runs a selection. The run itself is __test__/autobahn/run.mjs.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './ready.mjs';

const named = process.argv.slice(2);
for (const transport of named.length > 0 ? named : ['stream', 'event_loop', 'io_threads']) {
  console.log(`${transport}:`);
  const { status } = spawnSync(
    process.execPath,
    [join(root, '__test__/autobahn/run.mjs'), '--all'],
    { env: { ...process.env, FERROWS_TRANSPORT: transport }, stdio: 'inherit' }
  );
  if (status !== 0) process.exitCode = 1;
}
