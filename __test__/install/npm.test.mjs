/** Installation by npm into an empty project: as ferrows, as ws, and by an override for packages that depend on ws. */

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { manifest, platforms } from '../../scripts/packages/platforms.mjs';
import { root } from '../../scripts/ready.mjs';
import { Workbench } from './workbench.mjs';

const bench = new Workbench();
const { version } = manifest;
const ECHOED = `ferrows ${version} echoed 3, 1000\n`;

before(() => bench.open());
after(() => bench.close());

test('by its own name', async (context) => {
  const folder = bench.project('own', {});
  await bench.npm(folder, 'install', 'ferrows', '--foreground-scripts');

  await context.test('installs one platform package and nothing else', () => {
    const installed = readdirSync(join(folder, 'node_modules'), { recursive: true })
      .map((name) => String(name).replaceAll('\\', '/'))
      .filter((name) => /^(@[^/]+\/)?[^/@.][^/]*$/.test(name))
      .filter((name) => statSync(join(folder, 'node_modules', name)).isDirectory());
    const [own] = installed.filter((name) => name !== 'ferrows');
    assert.equal(installed.length, 2, installed.join());
    const platform = platforms.find((each) => each.manifest.name === own);
    assert.deepEqual(platform?.manifest.os, [process.platform]);
    assert.deepEqual(platform?.manifest.cpu, [process.arch]);
    const fetched = bench.registry.fetched.filter((name) => name.startsWith('@ferrows/'));
    assert.deepEqual(fetched, [own], 'no other platform was downloaded');
  });

  await context.test('the lock file has every platform', () => {
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    for (const platform of platforms) {
      const entry = lock.packages[`node_modules/${platform.manifest.name}`];
      assert.deepEqual(entry?.os, platform.manifest.os, platform.folder);
    }
  });

  await context.test('CommonJS', async () => {
    assert.equal(await bench.node(folder, 'echo.cjs', 'ferrows'), ECHOED);
  });

  await context.test('ES modules', async () => {
    assert.equal(await bench.node(folder, 'echo.mjs'), 'Hello\n');
  });

  await context.test('TypeScript, as either kind of module', async () => {
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    copyFileSync(join(folder, 'echo.ts'), join(folder, 'echo.mts'));
    await bench.node(
      folder,
      compiler,
      ...['--module', 'node16', '--target', 'es2022', '--strict', '--outDir', 'out'],
      ...['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')],
      ...['echo.ts', 'echo.mts']
    );
    for (const program of ['out/echo.js', 'out/echo.mjs']) {
      assert.equal(await bench.node(folder, program), '/typed: Hello\n');
    }
  });
});

test('by the name of ws', async () => {
  const folder = bench.project('alias', { dependencies: { ws: `npm:ferrows@^${version}` } });
  await bench.npm(folder, 'install');
  assert.equal(await bench.node(folder, 'echo.cjs', 'ws'), ECHOED);
});

test('by an override, under Socket.IO and MQTT.js', async () => {
  const folder = bench.project('override', {
    dependencies: {
      aedes: '1.2.0',
      mqtt: '5.16.0',
      'socket.io': '4.8.4',
      'socket.io-client': '4.8.4',
      ws: `npm:ferrows@^${version}`
    },
    overrides: { ws: '$ws' }
  });
  await bench.npm(folder, 'install');
  const [names, socketIo, mqtt] = (await bench.node(folder, 'dependents.cjs')).split('\n');
  assert.equal(names, 'ferrows, ferrows, ferrows');
  assert.equal(socketIo, 'Grüße 🦀');
  assert.equal(mqtt, 'Grüße 🦀');
});

test('the error without optional dependencies names the remedy', async () => {
  const folder = bench.project('omitted', {});
  await bench.npm(folder, 'install', 'ferrows', '--omit=optional');
  await assert.rejects(bench.node(folder, 'echo.cjs', 'ferrows'), /npm install --include=optional/);
});
