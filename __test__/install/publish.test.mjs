/** Publication to a registry on loopback: the root package last, and repeatable after a failure. */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { platforms } from '../../scripts/packages/platforms.mjs';
import { publish } from '../../scripts/packages/publish.mjs';
import { Workbench } from './workbench.mjs';

const bench = new Workbench();
const names = platforms.map((platform) => platform.manifest.name);
const staged = join(bench.folder, 'staged');
/** This registry shows a published package at once. */
const options = { asking: { times: 1, wait: 0 } };

before(async () => {
  await bench.open();
  // Placeholders for the addons: their content does not matter here.
  for (const { addon, folder } of platforms) {
    mkdirSync(join(staged, 'npm', folder), { recursive: true });
    writeFileSync(join(staged, 'npm', folder, addon), 'addon');
  }
  process.env.npm_config_registry = `${bench.registry.url}/`;
  process.env.npm_config_userconfig = join(bench.folder, 'npmrc');
  const [, host] = String(bench.registry.url).split(':', 2);
  const { port } = new URL(String(bench.registry.url));
  writeFileSync(process.env.npm_config_userconfig, `${host}:${port}/:_authToken=none\n`);
});

beforeEach(() => {
  bench.registry.entries.clear();
  bench.registry.published.length = 0;
  bench.registry.refused.clear();
});

after(() => bench.close());

test('the root package is published last, not after a refused platform, and a second run completes the publication', async () => {
  const [refused] = names.slice(-1);
  bench.registry.refused.add(String(refused));
  await assert.rejects(publish(staged, options));
  assert.deepEqual(bench.registry.published, names.slice(0, -1));

  bench.registry.refused.clear();
  await publish(staged, options);
  assert.deepEqual(bench.registry.published, [...names, 'ferrows']);
});

test('a dry run publishes nothing', async () => {
  await publish(staged, { ...options, isDryRun: true });
  assert.deepEqual(bench.registry.published, []);
});
