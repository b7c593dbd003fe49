/**
 * The suites that a change may break: `npm test -- --changed` runs those of the files that differ from the main branch, committed
 * or not. A file may match several rows. The tidy test checks that each file of the repository matches a row, and that each row
 * names suites.
 */

import { execFileSync } from 'node:child_process';
import { root } from './ready.mjs';

/** Suites that open connections over the transports that differ most. */
const CONNECTIONS = [
  'listener',
  'transport',
  'differential:event_loop',
  'differential:stream',
  'differential:io_threads'
];

/** @type {[pattern: RegExp, suites: string[]][]} */
export const TABLE = [
  [/./, ['tidy', 'lint']],
  [
    /^(?:src|tests)\/|^Cargo\.(?:toml|lock)$|^(?:clippy|rustfmt|rust-toolchain)\.toml$|^\.cargo\//,
    ['rustfmt', 'clippy', 'cargo']
  ],
  [
    /^(?:src|build\.rs|\.cargo)\b|^Cargo\.(?:toml|lock)$/,
    ['generated', 'load', 'shape', ...CONNECTIONS]
  ],
  [/^src\/protocol\/(?:deflate|handshake)/, ['deflate', 'memory', 'hostile']],
  [
    /^src\/(?:protocol|connection)\//,
    ['hostile:event_loop', 'autobahn:event_loop', 'interop:event_loop']
  ],
  [
    /^src\/(?:transport|addon)\//,
    ['hostile:event_loop', 'lifecycle', 'memory', 'observability', 'soak:auto', 'objects']
  ],
  [/^(?:src\/fuzzing|fuzz)\//, ['rustfmt:fuzz', 'clippy:fuzz', 'cargo', 'fuzz']],
  [
    /^(?:lib\/|(?:index|browser|binding)\.(?:m?js|d\.m?ts)$)/,
    [
      'types',
      'generated',
      'load',
      'shape',
      'objects',
      'fuzz',
      'observability',
      'options',
      ...CONNECTIONS
    ]
  ],
  [/^lib\/(?:server|client)\//, ['hostile:event_loop', 'examples', 'dependents:event_loop']],
  [/^lib\/(?:socket|node)\//, ['lifecycle', 'environments', 'hostile:event_loop']],
  [
    /^lib\/(?:transport|connection)\//,
    ['lifecycle', 'memory', 'deflate', 'soak:auto', 'hostile:event_loop']
  ],
  [/^lib\/deflate\//, ['deflate', 'memory', 'hostile:event_loop']],
  [/\.md$|^doc\/|^LICENSE$/, ['docs']],
  [/^examples\//, ['examples', 'docs', 'browser:event_loop']],
  [/^bench\/load\//, ['rustfmt:bench', 'clippy:bench', 'cargo:bench']],
  [/^bench\//, ['docs']],
  [/^package(?:-lock)?\.json$/, ['load', 'install', 'runtimes', 'docs', 'types', 'workflows']],
  [/^(?:npm|scripts\/packages)\b/, ['install', 'workflows']],
  [/^(?:scripts|\.github|\.ci)\//, ['workflows', 'docs', 'rustfmt']],
  [/^__test__\/(?:subject\.cjs|transport-of\.cjs)$/, [...CONNECTIONS, 'objects', 'lifecycle']],
  [/^__test__\/debian\.mjs$/, ['interop', 'browser', 'examples']],
  [/^__test__\/program\.mjs$/, ['examples', 'browser']],
  [/^__test__\/project(?:-tests)?\.mjs$/, ['dependents', 'runtimes', 'environments']]
];

/** The suite of a test file: `__test__/NAME/` and `__test__/NAME.test.js` belong to the suites NAME. @param {string} file */
function ownSuite(file) {
  const name = /^__test__\/([\w-]+)(?:\/|\.test\.js$)/.exec(file)?.[1];
  // Run by scripts/memcheck.mjs only.
  return name === undefined || name === 'memcheck' ? [] : [name];
}

/**
 * @param {string} file path below the root
 * @returns {string[]} names of suites or families
 */
export const suitesOf = (file) => [
  ...TABLE.flatMap(([pattern, suites]) => (pattern.test(file) ? suites : [])),
  ...ownSuite(file)
];

/** @param {...string} args @returns {string[]} */
const git = (...args) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter((line) => line !== '');

/** The commit that this work began at. */
function base() {
  for (const branch of ['origin/main', 'main']) {
    try {
      return String(git('merge-base', 'HEAD', branch)[0]);
    } catch {
      // No such branch here.
    }
  }
  throw new Error('there is neither a branch origin/main nor main to compare with');
}

/** @returns {string[]} files that differ from the main branch, untracked ones included */
export const changedFiles = () => [
  ...git('diff', '--name-only', base()),
  ...git('ls-files', '--others', '--exclude-standard')
];
