/**
 * Bundlers, and single executables: what comes out runs in a folder without node_modules above it. The tools are called by
 * project/bundles/build.mjs; those that doc/runtimes.md has a configuration for are in ../runtimes/bundlers.test.mjs.
 */

import { compare } from './compare.mjs';

for (const [tool, isGate] of /** @type {const} */ ([
  ['esbuild', true],
  ['ncc', true],
  ['nft', true],
  ['rollup', false],
  ['rolldown', false],
  ['sea', true]
])) {
  compare(`packed with ${tool}`, ['--no-warnings', 'bundles/build.mjs', tool], {
    isGate,
    records: 10
  });
}
