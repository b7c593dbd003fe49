/** Installed by pnpm and by Yarn, in the place of ws under a package that knows only ws. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { manifest } from '../../scripts/packages/platforms.mjs';
import { Workbench } from './workbench.mjs';

const bench = new Workbench();
const { version } = manifest;
const ECHOED = `ferrows ${version} echoed 3, 1000\n`;
/** Depends on ws. */
const DEPENDENT = { 'engine.io-client': '6.6.8' };
/** Asks the dependent for its ws. */
const ASK =
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
  assert.equal(await bench.node(folder, '-e', ASK), 'ferrows\n');
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
        // A project of its own, whatever is above it.
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
    assert.equal(await bench.node(folder, yarn, 'node', '-e', ASK), 'ferrows\n');
  });
}
