'use strict';

// Compiles the programs of this folder. Our types must accept their statements, and refuse those under `@ts-expect-error`;
// @types/ws must accept and refuse the idioms alike. Each file that augments the module is a program of its own, because
// augmentations of one program add up.

const { spawnSync } = require('node:child_process');
const { join } = require('node:path');
const test = require('node:test');
const assert = require('node:assert/strict');

const compiler = require.resolve('typescript/package.json').replace('package.json', 'bin/tsc');

for (const [project, name] of [
  ['tsconfig.json', 'what our types add, and how they go with those of @types/ws'],
  ['tsconfig.cts.json', 'idioms in CommonJS'],
  ['tsconfig.mts.json', 'idioms in ES modules'],
  ['tsconfig.reference-cts.json', 'the same idioms in CommonJS against @types/ws'],
  ['tsconfig.reference-mts.json', 'the same idioms in ES modules against @types/ws']
]) {
  test(name, () => {
    const run = spawnSync(process.execPath, [compiler, '--project', join(__dirname, project)], {
      encoding: 'utf8'
    });
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
  });
}
