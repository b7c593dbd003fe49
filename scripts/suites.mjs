/**
 * The catalog of suites: the command of each, its set (`npm test` or `npm run test:long`), its CI job, and the limits on running
 * it beside others. Read by test.mjs, which runs them, by nodes.mjs and by the tests that keep documents and workflows complete.
 *
 * Quick are the suites that a change most likely breaks, as far as eight minutes carry on two cores with a cold build.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './ready.mjs';

/** @typedef {'quick' | 'long'} SetName */
/** @typedef {'lint' | 'core' | 'node' | 'conformance'} Group A job of .github/workflows/ci.yml; `node` is one job per Node version */

/**
 * @typedef {object} Suite
 * @property {string} name `family` or `family:variant`; `--only family` runs all its variants
 * @property {Group} group
 * @property {SetName} set
 * @property {() => string[]} command
 * @property {Record<string, string>} [env]
 * @property {boolean} [exclusive] measures time, CPU or memory: runs while no other suite does
 * @property {string} [resource] suites that share a folder or a lock never run side by side
 */

export const TRANSPORTS = ['stream', 'event_loop', 'io_threads'];

/** The layers as sets of Cargo features: a layer compiles without those above it. @type {[string, string[]][]} */
const FEATURE_SETS = [
  ['core', ['--no-default-features']],
  ['transport', ['--no-default-features', '--features', 'transport']],
  ['all', ['--all-features']]
];

/** The load generator of the benchmark, a workspace of its own. */
const BENCH = ['--manifest-path', 'bench/load/Cargo.toml'];
const BENCH_TARGET = [...BENCH, '--target-dir', 'bench/load/target'];

/** The fuzz targets, a workspace of its own. Instrumented only by `npm run fuzz`. */
const FUZZ = ['--manifest-path', 'fuzz/Cargo.toml'];

/** Written by `npm run build` beside the addon. */
const GENERATED = 'binding.js binding.d.ts';

/** Suites that may install Debian packages, or a Python environment, on first use. */
const PROGRAMS = 'programs';

/**
 * Runs the tests of a folder below __test__, or a single file. The files are listed one by one: `node --test FOLDER` differs
 * between Node versions.
 *
 * @param {string} path
 * @returns {string[]}
 */
function nodeTest(path) {
  const files = path.endsWith('.js')
    ? [path]
    : readdirSync(join(root, '__test__', path), { recursive: true })
        .filter((name) => /\.test\.m?js$/.test(String(name)))
        .map((name) => join(path, String(name)));
  if (files.length === 0) throw new Error(`there are no tests in __test__/${path}`);
  const paths = files.map((name) => join('__test__', name));
  return [process.execPath, '--test', '--test-reporter=spec', ...paths];
}

/** Runs the tests of a folder below __test__ that has packages of its own. @param {string} folder */
const projectTests = (folder) => [process.execPath, '__test__/project-tests.mjs', folder];

/** @param {...string} args */
const clippy = (...args) => [
  'cargo',
  'clippy',
  '--locked',
  '--all-targets',
  ...args,
  '--',
  '-D',
  'warnings'
];

/** @typedef {Omit<Suite, 'name' | 'group' | 'set' | 'command'>} Options */

/**
 * @param {Group} group
 * @param {SetName} set
 * @param {string} name
 * @param {() => string[]} command
 * @param {Options} [options]
 * @returns {Suite}
 */
const suite = (group, set, name, command, options) => ({ name, group, set, command, ...options });

/**
 * A suite per transport.
 *
 * @param {Group} group
 * @param {string[]} quick transports of the quick set
 * @param {string} name
 * @param {() => string[]} command
 * @param {Options & { transports?: string[] }} [options]
 * @returns {Suite[]}
 */
const overTransports = (
  group,
  quick,
  name,
  command,
  { transports = TRANSPORTS, ...options } = {}
) =>
  transports.map((transport) => ({
    name: `${name}:${transport}`,
    group,
    set: quick.includes(transport) ? 'quick' : 'long',
    command,
    env: { FERROWS_TRANSPORT: transport },
    ...options
  }));

const CARGO = { resource: 'cargo' };

/** In the order of starting: fast and frequently failing first. @type {Suite[]} */
export const SUITES = [
  suite('lint', 'quick', 'tidy', () => nodeTest('tidy.test.js')),
  suite('lint', 'quick', 'rustfmt', () => ['cargo', 'fmt', '--check']),
  suite('lint', 'quick', 'rustfmt:bench', () => ['cargo', 'fmt', '--check', ...BENCH]),
  suite('lint', 'quick', 'rustfmt:fuzz', () => ['cargo', 'fmt', '--check', ...FUZZ]),
  // Clippy compiles each layer without the layers above it: the proof that it needs none of them.
  ...FEATURE_SETS.map(([name, features]) =>
    suite('lint', 'quick', `clippy:${name}`, () => clippy(...features), CARGO)
  ),
  suite('lint', 'quick', 'lint', () => ['npm', 'run', '--silent', 'lint']),
  // All layers at once. Code of one layer does not depend on the features of another (`tidy`).
  suite('core', 'quick', 'cargo', () => ['cargo', 'test', '--locked', '--all-features'], CARGO),
  suite('lint', 'quick', 'types', () => nodeTest('types')),
  // The build of this run has written these files: they must be committed, without differences.
  suite('lint', 'quick', 'generated', () => [
    'sh',
    '-c',
    `git ls-files --error-unmatch ${GENERATED} && git diff --exit-code ${GENERATED}`
  ]),
  suite('lint', 'quick', 'workflows', () => nodeTest('workflows.test.js')),
  suite('lint', 'quick', 'docs', () => nodeTest('docs')),
  suite('node', 'quick', 'load', () => nodeTest('load.test.js')),
  suite('node', 'quick', 'shape', () => nodeTest('shape.test.js')),
  suite('node', 'quick', 'listener', () => nodeTest('listener')),
  ...overTransports('node', ['event_loop', 'stream'], 'differential', () =>
    nodeTest('differential')
  ),
  suite('node', 'quick', 'transport', () => nodeTest('transport')),
  suite('node', 'quick', 'examples', () => nodeTest('examples'), { resource: PROGRAMS }),
  suite('node', 'quick', 'fuzz', () => nodeTest('fuzz')),
  ...overTransports('node', TRANSPORTS, 'observability', () => nodeTest('observability')),
  ...overTransports('node', TRANSPORTS, 'options', () => nodeTest('options')),
  ...overTransports('node', TRANSPORTS, 'deflate', () => nodeTest('deflate')),
  ...overTransports('node', ['event_loop'], 'hostile', () => nodeTest('hostile')),
  ...overTransports('node', TRANSPORTS, 'memory', () => nodeTest('memory'), { exclusive: true }),
  // From here on the long ones.
  suite('conformance', 'long', 'environments', () => projectTests('environments')),
  ...overTransports(
    'conformance',
    [],
    'autobahn',
    () => [process.execPath, '__test__/autobahn/run.mjs'],
    { resource: PROGRAMS }
  ),
  // Node's streams end their sockets themselves.
  ...overTransports('node', [], 'lifecycle', () => nodeTest('lifecycle'), {
    transports: ['event_loop', 'io_threads']
  }),
  // An I/O thread may answer pings before the messages in front of them (doc/differences.md).
  ...overTransports('node', [], 'objects', () => nodeTest('objects'), {
    transports: ['stream', 'event_loop']
  }),
  ...overTransports('conformance', [], 'interop', () => nodeTest('interop'), {
    resource: PROGRAMS
  }),
  ...overTransports('conformance', [], 'browser', () => nodeTest('browser'), {
    resource: PROGRAMS
  }),
  suite('conformance', 'long', 'install', () => nodeTest('install')),
  ...overTransports('conformance', [], 'dependents', () => projectTests('dependents'), {
    resource: 'dependents'
  }),
  suite('conformance', 'long', 'runtimes', () => projectTests('runtimes')),
  suite('core', 'long', 'cargo:bench', () => ['cargo', 'test', '--locked', ...BENCH_TARGET], CARGO),
  suite('core', 'long', 'clippy:bench', () => clippy(...BENCH_TARGET), CARGO),
  suite('core', 'long', 'clippy:fuzz', () => clippy(...FUZZ, '--target-dir', 'target/fuzz'), {
    env: { RUSTFLAGS: '--cfg fuzzing' },
    ...CARGO
  }),
  suite('node', 'long', 'soak:checker', () => nodeTest('soak')),
  ...[
    ['auto', '60'],
    ['io_threads', '20']
  ].map(([transport = '', seconds = '']) =>
    suite(
      'node',
      'long',
      `soak:${transport}`,
      () => [process.execPath, '__test__/soak/soak.mjs', '--seconds', seconds],
      { env: { FERROWS_TRANSPORT: transport }, exclusive: true }
    )
  )
];

/**
 * The suites that a name stands for: the one of that name, and those of that family.
 *
 * @param {string} name
 * @returns {Suite[]}
 */
export const suitesNamed = (name) =>
  SUITES.filter((one) => one.name === name || one.name.startsWith(`${name}:`));
