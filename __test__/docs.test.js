'use strict';

// The examples of README.md and doc/: each `js` block whose first line is a comment naming a file (`// echo.js`) is a
// program. It is run from the root of the clone and must print what the comments behind its console.log() calls say,
// in that order. What the examples explain is tested by the other suites.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const root = path.dirname(__dirname);
const DOCUMENTS = ['README.md', 'doc/api.md'];
const BLOCK = /^```js\n(\/\/ ([\w-]+\.(js|mjs))\b.*\n[^]*?)^```$/gm;
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
 * @param {'commonjs' | 'module'} type
 * @returns {Promise<string>} what it prints
 */
function run(program, type) {
  return new Promise((resolve, reject) => {
    const options = { cwd: root, timeout: LIMIT };
    const child = execFile(
      process.execPath,
      [`--input-type=${type}`, '-'],
      options,
      (error, stdout, stderr) => {
        if (error) reject(error);
        else if (stderr) reject(new Error(stderr));
        else resolve(stdout);
      }
    );
    child.stdin?.end(program);
  });
}

for (const document of DOCUMENTS) {
  const programs = [...readFileSync(path.join(root, document), 'utf8').matchAll(BLOCK)];
  test(`${document} has programs`, () => assert.ok(programs.length > 0));

  for (const [, program, name, extension] of programs) {
    test(`${document}: ${name}`, async () => {
      const expected = promised(program);
      assert.ok(expected.length > 0, 'it prints nothing');
      const output = await run(program, extension === 'mjs' ? 'module' : 'commonjs');
      assert.deepEqual(output.trimEnd().split('\n'), expected);
    });
  }
}
