/**
 * What a command in a document must be: one whose program is known here, with scripts and files that there are. Used by
 * blocks.test.mjs. Whether a command does what is said of it is for the suites.
 */

import { spawnSync } from 'node:child_process';

import { SUITES } from '../../scripts/suites.mjs';
import { files, read, root } from './markdown.mjs';

const manifest = JSON.parse(read('package.json'));

/** The suites of `npm test` and `npm run test:long`. */
export const suites = SUITES.map(({ name }) => name);

/** Programs that a document may name besides those below: they do what they do elsewhere. */
const OTHERS = new Set([
  'bun',
  'cargo',
  'cd',
  'deno',
  'echo',
  'git',
  'npx',
  'openssl',
  'redis-server'
]);

/** What stands for something that the reader knows: NAME, FILE, PROXY. */
const PLACEHOLDER = /^[A-Z][A-Z_]*(\.\.\.)?$/;

/** Packages that may be installed: this one, and those that examples and tests use. */
const PACKAGES = new Set([manifest.name, ...Object.keys(manifest.devDependencies)]);

/** @param {string[]} args; @returns {string | undefined} what is wrong with a command of a package manager */
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
      (name) => !PACKAGES.has(name.replace(/^ws@npm:/, '').replace(/(?!^)@.*$/, ''))
    );
    return unknown === undefined ? undefined : `why would one install ${unknown}?`;
  }
  return ['ci', 'ls', 'pack', 'why'].includes(command) ? undefined : `${command} is not known`;
}

/** @param {string[]} args; @returns {string | undefined} what is wrong with a command of Node's */
function faultOfNode(args) {
  const at = args.findIndex((arg) => arg === '-p' || arg === '-e');
  if (at < 0) return undefined;
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? undefined : stderr;
}

/** @param {string} word; @returns {boolean} whether a word looks like a file of the repository */
const isPath = (word) =>
  /^[\w.-]+(\/[\w.-]+)*\.(m?js|sh|toml|json)$/.test(word) || /^\.ci\/\w+$/.test(word);

/**
 * What is wrong with a line of commands.
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
      wrong.push('it is not known here');
    }
    return wrong.filter((fault) => fault !== undefined).map((fault) => `${command}: ${fault}`);
  });
}
