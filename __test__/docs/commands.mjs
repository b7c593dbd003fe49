/**
 * Checks of commands in documents: the program is known, and its scripts, suites, packages and files exist. Used by
 * blocks.test.mjs. The suites test the effect of a command.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SUITES } from '../../scripts/suites.mjs';
import { files, read, root } from './markdown.mjs';

const manifest = JSON.parse(read('package.json'));

/** The suites of `npm test` and `npm run test:long`. */
export const suites = SUITES.map(({ name }) => name);

/** Other programs, whose arguments are not checked. */
const OTHERS = new Set([
  'bun',
  'cargo',
  'cd',
  'deno',
  'echo',
  'git',
  'npx',
  'openssl',
  'redis-server',
  'sed'
]);

/** A placeholder: NAME, FILE, PROXY. */
const PLACEHOLDER = /^[A-Z][A-Z_]*(\.\.\.)?$/;

/** Packages that a document may install: this one, and those used by examples and tests. */
const PACKAGES = new Set([manifest.name, ...Object.keys(manifest.devDependencies)]);

/** @param {string[]} args; @returns {string | undefined} the fault of a command of a package manager */
function faultOfPackages([command, ...args]) {
  if (command === 'run' || command === 'run-script') {
    return Object.hasOwn(manifest.scripts, args[0]) ? undefined : `there is no script ${args[0]}`;
  }
  if (command === 'start') return undefined;
  if (command === 'test') {
    for (const [index, arg] of args.entries()) {
      const name = args[index + 1];
      if (arg !== '--only' || PLACEHOLDER.test(name)) continue;
      if (!suites.some((suite) => suite === name || suite.startsWith(`${name}:`))) {
        return `there is no suite ${name}`;
      }
    }
    return undefined;
  }
  if (command === 'install' || command === 'add' || command === 'i') {
    const names = args.filter((arg) => !arg.startsWith('-') && !PLACEHOLDER.test(arg));
    const unknown = names.find(
      (name) => !/^\.\..*\.tgz$/.test(name) && !PACKAGES.has(name.replace(/(?!^)@.*$/, ''))
    );
    return unknown === undefined ? undefined : `${unknown} is not used here`;
  }
  return ['ci', 'dedupe', 'ls', 'pack', 'why'].includes(command)
    ? undefined
    : `${command} is not known`;
}

/**
 * Runs a command of Node with a program as argument: in the root folder if it prints (`-p`), otherwise in a folder with copies of the
 * files of npm, which it may change.
 *
 * @param {string[]} args
 * @returns {string | undefined} the fault
 */
function faultOfNode(args) {
  const at = args.findIndex((arg) => arg === '-p' || arg === '-e');
  // The suite `install` runs the program that resolves a package of another project.
  if (at < 0 || args[at + 1].includes('createRequire')) return undefined;
  const scratch = mkdtempSync(join(tmpdir(), 'ferrows-docs-'));
  try {
    for (const name of ['package.json', 'package-lock.json']) {
      copyFileSync(join(root, name), join(scratch, name));
    }
    const cwd = args[at] === '-p' ? root : scratch;
    const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
    return status === 0 ? undefined : stderr;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** @param {string} word; @returns {boolean} true if a word looks like a file of the repository */
const isPath = (word) =>
  /^[\w.-]+(\/[\w.-]+)*\.(m?js|sh|toml|json)$/.test(word) || /^\.ci\/\w+$/.test(word);

/**
 * Returns the faults of a line of commands.
 *
 * @param {string} line
 * @returns {string[]}
 */
export function faults(line) {
  const commands = line
    .replace(/\s+#\s.*$/, '')
    .split(/\s*(?:&&|\|\||[|;])\s*(?=[^'"]*(?:["'][^"']*["'][^"']*)*$)/);
  return commands.flatMap((command) => {
    const words = (command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) =>
      word.replace(/^(["'])(.*)\1$/s, '$2')
    );
    while (/^\w+=/.test(words[0] ?? '')) words.shift();
    const [program, ...args] = words;
    if (program === undefined) return [];
    /** @type {(string | undefined)[]} */
    const wrong = args
      .filter((word) => isPath(word) && !files.includes(word))
      .map((word) => `there is no ${word}`);
    if (program === 'node') wrong.push(faultOfNode(args));
    else if (['npm', 'pnpm', 'yarn'].includes(program)) wrong.push(faultOfPackages(args));
    else if (isPath(program) ? !files.includes(program) : !OTHERS.has(program)) {
      wrong.push('unknown program');
    }
    return wrong.filter((fault) => fault !== undefined).map((fault) => `${command}: ${fault}`);
  });
}
