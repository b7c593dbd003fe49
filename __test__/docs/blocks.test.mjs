// Every block of code in every document is of a kind that is checked: JavaScript by programs.test.mjs, the others here.
// So are the commands that stand within a line.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { format } from 'prettier';

import { faults } from './commands.mjs';
import { documents, files, parts, read, root, spans } from './markdown.mjs';

/** @param {string} code; @returns {string[]} its lines that are no comment; what a backslash continues is one */
const lines = (code) =>
  code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*#/.test(line));

/**
 * What is asked of a block, by its kind; it throws, or returns what is wrong.
 *
 * @type {Record<string, (code: string) => string[] | Promise<string[]>>}
 */
const CHECKS = {
  js: () => [],
  mjs: () => [],
  json: (code) => {
    JSON.parse(code);
    return [];
  },
  sh: (code) => lines(code).flatMap(faults),
  // A drawing, or what a program says: nothing to run.
  text: () => [],
  // Compiled as a module beside the package, so that it finds the types as an installed one does.
  ts: (code) => {
    const file = join(root, 'target/docs', 'block.mts');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'node16', '--target', 'es2022'];
    const { status, stdout } = spawnSync(
      process.execPath,
      [tsc, '--ignoreConfig', ...options, '--types', 'node', file],
      { encoding: 'utf8' }
    );
    return status === 0 ? [] : [stdout];
  },
  yaml: async (code) => {
    // It throws at what is none.
    await format(code, { parser: 'yaml' });
    return [];
  }
};

/** Names of files and folders within a line: below one of the folders of the sources. */
const PATH = /^(?:__test__|bench|doc|examples|fuzz|lib|scripts|src|tests)\/[\w./-]*$/;

/** @param {string} name; @returns {boolean} whether a file has it, or is in the folder of that name */
const exists = (name) =>
  files.some((file) => file === name || file.startsWith(`${name.replace(/\/$/, '')}/`));

/** Commands within a line, which begin with one of these. */
const INLINE = /^(?:npm (?:run|test|start|install)|node (?!-)\S+\.m?js)\b/;

for (const document of documents) {
  test(`the blocks of ${document}`, async () => {
    for (const { kind, code, line } of parts(read(document)).blocks) {
      const check = CHECKS[kind];
      assert.ok(check, `line ${line}: nobody checks '${kind}'`);
      assert.deepEqual(await check(code), [], `line ${line}`);
    }
  });

  test(`the commands of ${document}`, () => {
    const commands = spans(parts(read(document)).prose).filter((span) => INLINE.test(span));
    assert.deepEqual(commands.flatMap(faults), []);
  });

  test(`the files that ${document} names`, () => {
    const names = spans(parts(read(document)).prose).filter((span) => PATH.test(span));
    assert.deepEqual(
      names.filter((name) => !exists(name)),
      []
    );
  });
}
