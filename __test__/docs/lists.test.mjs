// Compares lists in documents with their sources.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { suites } from './commands.mjs';
import { files, parts, read, spans } from './markdown.mjs';

/** @param {string} document; @param {string} heading; @returns {string[]} the code spans in the table of a section */
function listed(document, heading) {
  const { prose } = parts(read(document));
  const [, section] = prose.split(`\n## ${heading}\n`);
  assert.ok(section, `${document} has no section "${heading}"`);
  const rows = section
    .split('\n## ')[0]
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return spans(rows.join('\n'));
}

test('README.md lists the platforms of npm/', () => {
  const prepared = files.flatMap((name) => /^npm\/([^/]+)\/package\.json$/.exec(name)?.[1] ?? []);
  const named = listed('README.md', 'Platforms').filter((name) => !name.includes(' '));
  assert.deepEqual(named.sort(), prepared.sort());
});

test('CONTRIBUTING.md lists the suites', () => {
  const named = listed('CONTRIBUTING.md', 'Tests');
  const groups = new Set(suites.map((name) => name.split(':')[0]));
  assert.deepEqual(
    [...groups].filter((name) => !named.includes(name)),
    []
  );
});
