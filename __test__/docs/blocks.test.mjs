// Checks the code blocks of all documents, except JavaScript (programs.test.mjs), and the commands and paths within lines.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { format } from 'prettier';

import { faults } from './commands.mjs';
import { documents, files, parts, read, root, spans } from './markdown.mjs';

/** @param {string} code; @returns {string[]} its lines without comments; lines continued by a backslash are joined */
const lines = (code) =>
  code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*#/.test(line));

/**
 * Checks of blocks by kind. Each throws or returns the faults.
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
  // A drawing, or the output of a program.
  text: () => [],
  // Compiled as a module beside the package, which resolves the types like an installed one.
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
    // Throws if the code is invalid.
    await format(code, { parser: 'yaml' });
    return [];
  }
};

/** Paths of files and folders below the source folders. */
const PATH = /^(?:__test__|bench|doc|examples|fuzz|lib|scripts|src|tests)\/[\w./-]*$/;

/** @param {string} name; @returns {boolean} true for a file, or a folder with files */
const exists = (name) =>
  files.some((file) => file === name || file.startsWith(`${name.replace(/\/$/, '')}/`));

/** Commands within a line. */
const INLINE = /^(?:npm (?:run|test|start|install)|node (?!-)\S+\.m?js)\b/;

for (const document of documents) {
  test(`the blocks of ${document}`, async () => {
    for (const { kind, code, line } of parts(read(document)).blocks) {
      const check = CHECKS[kind];
      assert.ok(check, `line ${line}: '${kind}' has no check`);
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
