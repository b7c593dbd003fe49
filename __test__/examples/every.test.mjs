// Every example has a test, and is in the list of examples/README.md.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const examples = new URL('../../examples/', import.meta.url);
const programs = readdirSync(examples).filter((name) => /\.m?js$/.test(name));

test('every example is run by a test', () => {
  const here = new URL('./', import.meta.url);
  const tests = readdirSync(here)
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => readFileSync(new URL(name, here), 'utf8'))
    .join('');
  assert.deepEqual(
    programs.filter((name) => !tests.includes(`'${name}'`)),
    []
  );
});

test('every example is in the list, with its command', () => {
  const list = readFileSync(new URL('README.md', examples), 'utf8');
  const unlisted = programs.filter((name) => !list.includes(`[${name}](${name})`));
  const mute = programs.filter(
    (name) => !readFileSync(new URL(name, examples), 'utf8').includes(`node examples/${name}`)
  );
  assert.deepEqual([unlisted, mute], [[], []]);
});
