/**
 * Installs the packages that depend on ws, with ferrows in the place of ws: below target/, once for each manifest.
 * `prepare()` is called by the tests and by run.mjs; `node __test__/dependents/install.mjs --update` writes the lock file anew
 * after a change of project/package.json. What the packages are used for does not belong here.
 *
 * The override is npm's: the project depends on ws by a path and says that everybody else does. The committed lock
 * file is without that path, which is added here, because it depends on the subject: with FERROWS_SUBJECT=ws it is
 * the original. `light-my-request` is held back to the last version that asks for no newer Node.js than we do.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = fileURLToPath(new URL('project', import.meta.url));

/** Which package stands in the place of ws. */
export const subject = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';

/** Where the packages are, once `prepare()` has returned. */
export const folder = join(root, 'target/dependents', subject);

/** The subject as the project sees it. */
const path = relative(folder, subject === 'ws' ? join(root, 'node_modules/ws') : root);

/** npm may take this long, in milliseconds. */
const TIME_LIMIT = 5 * 60 * 1000;

const NPM_OPTIONS = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'];

/** @param {string} file */
const parse = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** @param {unknown} value */
const print = (value) => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Runs npm in the installed project: the one that runs this process, or else that of the path.
 *
 * @param {string[]} args
 * @throws {Error} it failed, or took too long
 */
function npm(...args) {
  const cli = process.env.npm_execpath;
  const [program, ...before] = cli && /\.c?js$/.test(cli) ? [process.execPath, cli] : ['npm'];
  const { status, error } = spawnSync(program, [...before, ...args, ...NPM_OPTIONS], {
    cwd: folder,
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
    // To standard error: the standard output of a test is its report.
    stdio: ['ignore', process.stderr.fd, process.stderr.fd]
  });
  if (status !== 0) {
    throw new Error(
      `"npm ${args.join(' ')}" failed in ${relative(root, folder)}: ${error?.message ?? 'see above'}`
    );
  }
}

/** The manifest with the path of the subject. */
function manifest() {
  const value = parse(join(project, 'package.json'));
  value.dependencies.ws = `file:${path}`;
  return value;
}

/** The committed lock file with the subject, as npm would have written it. */
function lock() {
  const value = parse(join(project, 'package-lock.json'));
  const { name, version } = parse(join(folder, path, 'package.json'));
  value.packages[''].dependencies.ws = `file:${path}`;
  value.packages[path] = { name, version };
  value.packages['node_modules/ws'] = { resolved: path, link: true };
  return value;
}

/** Writes what npm has locked to the sources, without the subject and without any address. */
function keepLock() {
  const value = parse(join(folder, 'package-lock.json'));
  delete value.packages[''].dependencies.ws;
  delete value.packages[path];
  delete value.packages['node_modules/ws'];
  for (const entry of Object.values(value.packages)) delete entry.resolved;
  writeFileSync(join(project, 'package-lock.json'), print(value));
}

/** Installs what is missing. @throws {Error} npm failed */
export function prepare() {
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(project, 'load.mjs'), join(folder, 'load.mjs'));
  const files = { 'package.json': print(manifest()), 'package-lock.json': print(lock()) };
  const wanted = createHash('sha256').update(Object.values(files).join('')).digest('hex');
  // Written last, so that an interrupted installation is not taken for a whole one.
  const installed = join(folder, 'installed.txt');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return;
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  npm('ci');
  writeFileSync(installed, wanted);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--update') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), print(manifest()));
    npm('install', '--package-lock-only');
    keepLock();
  }
  prepare();
}
