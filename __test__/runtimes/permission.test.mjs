/**
 * Node's permission model: with --allow-addons everything works, without it (or with --no-addons) loading fails with an error
 * that names the cause. The rest of that error is tested in ../load.test.js.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversation } from './expected.mjs';
import { node, result, TIME_LIMIT } from './programs.mjs';

const flags = process.allowedNodeEnvironmentFlags;

/** The flags of the model in this version of Node, with the permissions that any program needs for this. */
const PERMISSION = [
  flags.has('--permission') ? '--permission' : '--experimental-permission',
  '--allow-fs-read=*',
  ...(flags.has('--allow-net') ? ['--allow-net'] : [])
];

/** Node's message about an addon that it refuses to load. */
const DISABLED = 'Cannot load native addon because loading addons is disabled.';

/** @param {{ code?: string, message: string }} cause */
const isOfNode = ({ code, message }) => code === 'ERR_DLOPEN_DISABLED' || message === DISABLED;

for (const transport of ['stream', 'event_loop', 'io_threads']) {
  test(`--allow-addons, ${transport}`, TIME_LIMIT, async () => {
    const runtime = [...node, ...PERMISSION, '--allow-addons'];
    const out = await result(runtime, ['require.cjs'], { FERROWS_TRANSPORT: transport });
    assert.deepEqual(out, conversation(transport));
  });
}

for (const [name, options] of /** @type {const} */ ([
  ['no --allow-addons', PERMISSION],
  ['--no-addons', ['--no-addons']]
])) {
  test(name, TIME_LIMIT, async () => {
    const [error, ...causes] = await result([...node, ...options], ['load.cjs']);
    assert.equal(error?.code, 'ERR_FERROWS_LOAD');
    assert.ok(causes.some(isOfNode), JSON.stringify(causes));
  });
}
