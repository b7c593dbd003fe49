'use strict';

// Runs the targets of fuzz/js with the committed inputs, which include every earlier finding.

const assert = require('node:assert/strict');
const { readdirSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const folder = path.join(__dirname, '..', '..', 'fuzz', 'js');

/** @param {string} where @param {string} end @returns {string[]} names of targets */
const namesIn = (where, end) =>
  readdirSync(where)
    .filter((name) => name.endsWith(end))
    .map((name) => name.slice(0, -end.length))
    .sort();

const targets = namesIn(folder, '.fuzz.mjs');

test('every target has seeds, and vice versa', () => {
  assert.ok(targets.length > 0);
  assert.deepEqual(namesIn(path.join(folder, 'seeds'), '.json'), targets);
});

for (const name of targets) {
  test(name, { timeout: 60_000 }, async (t) => {
    const { readSeeds } = await import('../../fuzz/js/engine.mjs');
    const { target } = await import(`../../fuzz/js/${name}.fuzz.mjs`);
    assert.equal(target.name, name);
    const seeds = readSeeds(name);
    assert.ok(seeds.length > 0);
    for (const [index, seed] of seeds.entries()) {
      await t.test(`seed ${index}: ${JSON.stringify(seed).slice(0, 100)}`, async () => {
        const features = await target.run(seed);
        assert.ok(features.length > 0);
      });
    }
  });
}
