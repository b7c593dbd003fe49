'use strict';

// The search loop of fuzz/js: it finds a planted defect, shrinks it, is repeatable, and exits with the right code.
// seeds.test.js runs the targets.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { pathToFileURL } = require('node:url');

const folder = path.join(__dirname, '..', '..', 'fuzz', 'js');
const engine = import('../../fuzz/js/engine.mjs');

/** @param {(text: string) => any} run returns features of a text, or throws */
const planted = (run) => ({
  name: 'planted',
  dictionary: ['key', '='],
  generate: (/** @type {any} */ random) => ({
    rest: [1, true, null],
    text: random.pick(['', 'key', 'a=b'])
  }),
  run: ({ text }) => run(text)
});

/** Requires four steps, each with a feature. @param {string} text */
function inSteps(text) {
  const match = /k(e(y(=)?)?)?/.exec(text)?.[0] ?? '';
  if (match === 'key=' && text.includes('\x7f')) throw new Error('found');
  return [match, `delete ${text.includes('\x7f')}`];
}

test('a planted defect is found and shrunk', async () => {
  const { search } = await engine;
  const result = await search(planted(inSteps), { seed: 1, executions: 100_000 });
  assert.equal(result.crashes, 1);
  const [{ input, error }] = result.findings;
  assert.equal(error.message, 'found');
  assert.equal(input.text.length, 'key=\x7f'.length);
  assert.deepEqual(input.rest, []);
});

test('a seed repeats a run', async () => {
  const { search } = await engine;
  const run = async () => {
    /** @type {string[]} */
    const texts = [];
    const target = planted((text) => {
      texts.push(text);
      return [text.slice(0, 2)];
    });
    await search(target, { seed: 7, executions: 300 });
    return texts;
  };
  const first = await run();
  assert.equal(first.length, 300);
  assert.deepEqual(await run(), first);
});

test('a late error is a finding of its input', () => {
  // In a child process: the test runner would report the error itself.
  const program = `
    import { search } from './engine.mjs';
    const run = (text) => new Promise((resolve) => {
      if (text === 'key') setImmediate(() => { throw new Error('later'); });
      else resolve([]);
    });
    const generate = (random) => random.pick(['', 'key', 'a']);
    const target = { name: 'planted', dictionary: ['a'], generate, run };
    const { findings } = await search(target, { seed: 1, executions: 1000 });
    console.log(findings[0].error.message, findings[0].input);`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { cwd: folder, encoding: 'utf8', timeout: 60_000 }
  );
  assert.equal(stdout, 'later key\n', stderr);
});

test('a failing seed ends the search', async () => {
  const { search } = await engine;
  const seeds = [{ text: 'a' }, { text: 'key=\x7f' }];
  const result = await search(planted(inSteps), { seed: 1, executions: 2, seeds });
  assert.equal(result.crashes, 1);
});

test('assertLinear detects quadratic work', async () => {
  const { assertLinear } = await import('../../fuzz/js/linear.mjs');
  const text = 'a'.repeat(1000);
  const linear = (/** @type {string} */ whole) => {
    for (let index = 0; index < whole.length; index++) whole.charCodeAt(index);
  };
  assertLinear(linear, text);
  assert.throws(() => assertLinear((whole) => [...text].forEach(() => linear(whole)), text));
  assert.throws(() => {
    assertLinear((whole) => {
      for (let index = 0; index < whole.length; index++) whole.slice(index);
    }, text);
  });
});

test('a program prints its result last', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(folder, 'subprotocols.fuzz.mjs'), '--seconds', '0.2', '--seed', '5'],
    { encoding: 'utf8', timeout: 60_000 }
  );
  assert.equal(status, 0, stdout + stderr);
  const result = JSON.parse(/** @type {string} */ (stdout.trimEnd().split('\n').pop()));
  assert.deepEqual(Object.keys(result), ['executions', 'crashes', 'seed', 'features']);
  assert.equal(result.crashes, 0);
  assert.equal(result.seed, 5);
  assert.ok(result.executions > 0 && result.features > 0);
});

test('a program with a finding prints the input and exits with 1', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'ferrows-fuzz-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'planted.mjs');
  writeFileSync(
    file,
    `import { main } from ${JSON.stringify(pathToFileURL(path.join(folder, 'engine.mjs')))};
    const run = (text) => {
      if (text.startsWith('chat')) throw new Error('wrong');
      return [];
    };
    const generate = () => '';
    await main({ name: 'subprotocols', dictionary: ['a'], generate, run }, import.meta.url);`
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    encoding: 'utf8',
    timeout: 60_000
  });
  assert.equal(status, 1, stdout + stderr);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(JSON.parse(/** @type {string} */ (lines.pop())).crashes, 1);
  assert.equal(lines.pop(), 'input: "chat"');
});
