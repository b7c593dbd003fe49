/**
 * Bundlers, and single executables: the result runs in a folder without node_modules above it. project/bundles/build.mjs calls
 * the tools, with the configurations in doc/runtimes.md. The cases of ../runtimes/bundlers.test.mjs are not repeated.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../project.mjs';
import { compare } from './compare.mjs';

const DOCUMENT = readFileSync(join(root, 'doc/runtimes.md'), 'utf8');

/** Blocks of code by their first lines. */
const BLOCKS = JSON.stringify(
  Object.fromEntries(
    [...DOCUMENT.matchAll(/^```m?js\n\/\/ (.+)\n([^]*?)^```$/gm)].map(([, heading, code]) => [
      heading,
      code
    ])
  )
);

for (const [tool, isGate] of /** @type {const} */ ([
  ['esbuild', true],
  ['ncc', true],
  ['nft', true],
  ['rollup', false],
  ['rolldown', true],
  ['sea', true]
])) {
  compare(`packed with ${tool}`, ['--no-warnings', 'bundles/build.mjs', tool], {
    env: { BLOCKS },
    isGate,
    records: 10
  });
}

test('doc/runtimes.md names the tested versions', () => {
  const manifest = readFileSync(new URL('project/package.json', import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(manifest);
  for (const name of ['@vercel/ncc', '@vercel/nft', 'esbuild', 'postject', 'rolldown', 'rollup']) {
    const said = `${name} ${dependencies[name]}`.toLowerCase();
    assert.ok(DOCUMENT.toLowerCase().replaceAll('`', '').includes(said), said);
  }
});
