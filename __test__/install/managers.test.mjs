/** Installation from a registry by pnpm and Yarn, with an override of ws. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { manifest } from '../../scripts/packages/platforms.mjs';
import { Workbench } from './workbench.mjs';

const bench = new Workbench();
const { version } = manifest;
const ECHOED = `ferrows ${version} echoed 3, 1000\n`;
/** A package that depends on ws. */
const DEPENDENT = { 'engine.io-client': '6.6.8' };
/** Prints the name of the package that the dependent resolves as ws. */
const PRINT_NAME =
  "const { createRequire } = require('node:module');" +
  "console.log(createRequire(require.resolve('engine.io-client'))('ws/package.json').name);";

let tools = '';

before(async () => {
  await bench.open();
  tools = bench.project('tools', {});
  await bench.npm(tools, 'install', '--ignore-scripts', 'pnpm@10.34.8', '@yarnpkg/cli-dist@4.18.1');
});
after(() => bench.close());

test('pnpm', async () => {
  const folder = bench.project(
    'pnpm',
    { dependencies: { ...DEPENDENT, ferrows: `^${version}` } },
    { 'pnpm-workspace.yaml': `overrides:\n  ws: npm:ferrows@^${version}\n` }
  );
  const pnpm = join(tools, 'node_modules/pnpm/bin/pnpm.cjs');
  await bench.node(folder, pnpm, 'install', '--store-dir', join(bench.folder, 'store'));
  assert.equal(await bench.node(folder, 'echo.cjs', 'ferrows'), ECHOED);
  assert.equal(await bench.node(folder, '-e', PRINT_NAME), 'ferrows\n');
});

for (const linker of ['pnp', 'node-modules']) {
  test(`Yarn, ${linker}`, async () => {
    const folder = bench.project(
      `yarn-${linker}`,
      {
        dependencies: { ...DEPENDENT, ferrows: `^${version}` },
        resolutions: { ws: `npm:ferrows@^${version}` }
      },
      {
        // Marks the project as one of its own, not a workspace of a folder above.
        'yarn.lock': '',
        '.yarnrc.yml': [
          `nodeLinker: ${linker}`,
          `npmRegistryServer: '${bench.registry.url}'`,
          `unsafeHttpWhitelist: ['127.0.0.1']`,
          `globalFolder: '${join(bench.folder, 'yarn')}'`,
          'enableTelemetry: false',
          'enableImmutableInstalls: false'
        ].join('\n')
      }
    );
    const yarn = join(tools, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js');
    await bench.node(folder, yarn, 'install');
    assert.equal(await bench.node(folder, yarn, 'node', 'echo.cjs', 'ferrows'), ECHOED);
    assert.equal(await bench.node(folder, yarn, 'node', '-e', PRINT_NAME), 'ferrows\n');
  });
}
