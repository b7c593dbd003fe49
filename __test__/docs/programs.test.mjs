/*
 * Checks the JavaScript blocks of the documents. The first line of a block determines its kind:
 *
 * - a program, `// name.js` or `// name.mjs`: runs from the root of the clone, exits, and prints the text of the
 *   comments after its console.log() calls, in that order;
 * - an excerpt, `// examples/name.js`: the rest is contained in that file, which has a test; `// ...` marks omissions;
 * - the configuration of a bundler, `// esbuild, ...`, `// webpack, ...` or `// rolldown, ...`: the suites `runtimes` and `environments`
 *   bundle with it;
 * - a fragment, anything else: runs with the globals of prelude.mjs, and must not fail.
 *
 * The suite `examples` tests the examples themselves.
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
/** Time limit of a program, in milliseconds. */
const LIMIT = 60_000;

/**
 * Returns the lines that a program must print, by its comments.
 *
 * @param {string} program
 * @returns {string[]}
 */
function promised(program) {
  const lines = program.split('\n').filter((line) => PRINTING.test(line));
  return lines.map((line) => {
    const match = PRINTED.exec(line);
    assert.ok(match, `no comment with the output: ${line.trim()}`);
    return match[1];
  });
}

/**
 * Runs a program to its exit.
 *
 * @param {string} program
 * @param {string} type
 * @param {string[]} [flags] of Node
 * @returns {Promise<string>} the output
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
 * Asserts that an excerpt is contained in its file.
 *
 * @param {string} code
 */
function compare(code) {
  const [heading, name] = /** @type {RegExpExecArray} */ (EXCERPT.exec(code));
  assert.ok(files.includes(name), `${name} does not exist`);
  let rest = flat(read(name));
  for (const piece of flat(code.slice(heading.length)).split(/^\/\/ \.\.\.$/m)) {
    const at = rest.indexOf(piece.trim());
    assert.ok(at >= 0, `not in ${name}, or not in this order: ${piece}`);
    rest = rest.slice(at + piece.trim().length);
  }
}

/** Number of blocks by kind: the test fails if the documents are not read. */
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
        assert.ok(expected.length > 0, 'no output');
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

test('the documents have programs, excerpts and fragments', () => {
  assert.ok(seen.programs > 0 && seen.excerpts > 0 && seen.fragments > 0, JSON.stringify(seen));
});
