/*
 * The JavaScript of the documents. A block is one of four things, by its first line:
 *
 * - a program, `// name.js` or `// name.mjs`: it is run from the root of the clone, ends by itself, and prints what the
 *   comments behind its console.log() calls say, in that order;
 * - an excerpt, `// examples/name.js`: what follows is in that file, which has a test; `// ...` stands for what is left out;
 * - the configuration of a bundler, `// esbuild, ...`, `// webpack, ...` or `// rolldown, ...`: the suites `runtimes` and `environments`
 *   bundle with it;
 * - a fragment, anything else: it is run among what prelude.mjs prepares, and must not fail.
 *
 * What the examples explain is tested by the other suites.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';

import { documents, files, parts, read, root } from './markdown.mjs';

const KINDS = new Map([
  ['js', 'commonjs'],
  ['mjs', 'module']
]);
const PROGRAM = /^\/\/ ([\w-]+\.(js|mjs))\b/;
const EXCERPT = /^\/\/ (examples\/\S+)\n/;
const CONFIGURATION = /^\/\/ (esbuild|webpack|rolldown), /;
const PRINTING = /\bconsole\.log\(/;
const PRINTED = /\bconsole\.log\(.*\); \/\/ (.+)$/;
/** A program that takes longer, in milliseconds, does not end by itself. */
const LIMIT = 60_000;

/**
 * The lines that a program says it prints.
 *
 * @param {string} program
 * @returns {string[]}
 */
function promised(program) {
  const lines = program.split('\n').filter((line) => PRINTING.test(line));
  return lines.map((line) => {
    const match = PRINTED.exec(line);
    assert.ok(match, `what does this line print? ${line.trim()}`);
    return match[1];
  });
}

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {string} type
 * @param {string[]} [flags] further ones for Node
 * @returns {Promise<string>} what it prints
 */
function run(program, type, flags = []) {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [...flags, `--input-type=${type}`, '-'],
      { cwd: root, timeout: LIMIT },
      (error, stdout, stderr) => {
        if (error) reject(error);
        else if (stderr) reject(new Error(stderr));
        else resolve(stdout);
      }
    );
    child.stdin?.end(program);
  });
}

/** @param {string} text; @returns {string} its lines without indentation */
const flat = (text) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();

/**
 * Looks for an excerpt in the file it is from.
 *
 * @param {string} code
 */
function compare(code) {
  const [heading, name] = /** @type {RegExpExecArray} */ (EXCERPT.exec(code));
  assert.ok(files.includes(name), `there is no ${name}`);
  let rest = flat(read(name));
  for (const piece of flat(code.slice(heading.length)).split(/^\/\/ \.\.\.$/m)) {
    const at = rest.indexOf(piece.trim());
    assert.ok(at >= 0, `this is not in ${name}, or not in this order: ${piece}`);
    rest = rest.slice(at + piece.trim().length);
  }
}

/** How many of each there are, to see that the documents are read at all. */
const seen = { programs: 0, excerpts: 0, fragments: 0 };

for (const document of documents) {
  for (const { kind, code, line } of parts(read(document)).blocks) {
    const language = KINDS.get(kind);
    if (language === undefined || CONFIGURATION.test(code)) continue;
    const [, name, extension] = PROGRAM.exec(code) ?? [];
    if (name !== undefined) {
      seen.programs += 1;
      test(`${document}: ${name}`, async () => {
        const expected = promised(code);
        assert.ok(expected.length > 0, 'it prints nothing');
        const output = await run(code, extension === 'mjs' ? 'module' : 'commonjs');
        assert.deepEqual(output.trimEnd().split('\n'), expected);
      });
    } else if (EXCERPT.test(code)) {
      seen.excerpts += 1;
      test(`${document}:${line}, an excerpt`, () => compare(code));
    } else {
      seen.fragments += 1;
      test(`${document}:${line}, a fragment`, async () => {
        await run(`${code};finish();`, language, ['--import', './__test__/docs/prelude.mjs']);
      });
    }
  }
}

test('there are programs, excerpts and fragments', () => {
  assert.ok(seen.programs > 0 && seen.excerpts > 0 && seen.fragments > 0, JSON.stringify(seen));
});
