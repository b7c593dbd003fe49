/**
 * Runs every suite of the project, one after the other: `npm test`, and so the gate. It stops at the first failure
 * (`--keep-going`: at the end). `--only NAME` runs the suites whose name is or begins with NAME; `--list` names them.
 *
 * Each suite runs as a process group of its own, without standard input and for a bounded time. A suite that leaves
 * a process behind has failed. No suite is ever skipped: what cannot run fails.
 */

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { root, withCargo } from './ready.mjs';

/** @typedef {{ name: string, command: () => string[], env?: Record<string, string> }} Suite */

/** A suite may take this long, in milliseconds. */
const TIME_LIMIT = 10 * 60 * 1000;
/** Processes of a suite that has ended get this long to end too, in milliseconds. */
const GRACE = 5000;

/** The walls of the house, as sets of Cargo features. @type {[string, string[]][]} */
const FEATURE_SETS = [
  ['core', ['--no-default-features']],
  ['transport', ['--no-default-features', '--features', 'transport']],
  ['all', ['--all-features']]
];

/** The load generator of the benchmark is a crate of its own. */
const BENCH = ['--manifest-path', 'bench/load/Cargo.toml', '--target-dir', 'bench/load/target'];

/** So are the fuzz targets. They are instrumented only when they run, but need what is there only for fuzzing. */
const FUZZ = ['--manifest-path', 'fuzz/Cargo.toml'];

/** What `npm run build` writes beside the addon. */
const GENERATED = 'binding.js binding.d.ts';

/** Each transport by itself, and sockets that change theirs at random moments. */
const TRANSPORTS = ['stream', 'event_loop', 'io_threads', 'shuffle'];

/**
 * Runs the tests of a folder below __test__, or one of its own. The files are named one by one, because what
 * `node --test` makes of a folder depends on the version of Node.
 *
 * @param {string} where
 * @returns {string[]}
 */
function nodeTest(where) {
  const files = where.endsWith('.js')
    ? [where]
    : readdirSync(join(root, '__test__', where), { recursive: true })
        .filter((name) => /\.test\.m?js$/.test(String(name)))
        .map((name) => join(where, String(name)));
  if (files.length === 0) throw new Error(`there are no tests in __test__/${where}`);
  const paths = files.map((name) => join('__test__', name));
  return [process.execPath, '--test', '--test-reporter=spec', ...paths];
}

/**
 * Runs the tests of a folder below __test__ that need packages of their own.
 *
 * @param {string} where
 */
const projectTests = (where) => [process.execPath, '__test__/project-tests.mjs', where];

/**
 * One suite for each transport.
 *
 * @param {string} name
 * @param {() => string[]} command
 * @param {string[]} [transports]
 * @returns {Suite[]}
 */
const overTransports = (name, command, transports = TRANSPORTS) =>
  transports.map((transport) => ({
    name: `${name}:${transport}`,
    command,
    env: { FERROWS_TRANSPORT: transport }
  }));

/** In the order of running: what is quick and fails often comes first. @type {Suite[]} */
const SUITES = [
  { name: 'tidy', command: () => nodeTest('tidy.test.js') },
  { name: 'lint', command: () => ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', command: () => nodeTest('types') },
  // The build has just written them: they must be committed, and as they are now.
  {
    name: 'generated',
    command: () => [
      'sh',
      '-c',
      `git ls-files --error-unmatch ${GENERATED} && git diff --exit-code ${GENERATED}`
    ]
  },
  { name: 'rustfmt', command: () => ['cargo', 'fmt', '--check'] },
  ...FEATURE_SETS.map(([name, features]) => ({
    name: `clippy:${name}`,
    command: () => [
      'cargo',
      'clippy',
      '--locked',
      '--all-targets',
      ...features,
      '--',
      '-D',
      'warnings'
    ]
  })),
  ...FEATURE_SETS.map(([name, features]) => ({
    name: `cargo:${name}`,
    // The addon is tested from JavaScript: here, only that test executables link without Node.
    command: () => [
      'cargo',
      'test',
      '--locked',
      ...features,
      ...(name === 'all' ? ['--no-run'] : [])
    ]
  })),
  { name: 'cargo:bench', command: () => ['cargo', 'test', '--locked', ...BENCH] },
  {
    name: 'clippy:bench',
    command: () => [
      'cargo',
      'clippy',
      '--locked',
      '--all-targets',
      ...BENCH,
      '--',
      '-D',
      'warnings'
    ]
  },
  {
    name: 'rustfmt:bench',
    command: () => ['cargo', 'fmt', '--check', '--manifest-path', BENCH[1]]
  },
  {
    name: 'clippy:fuzz',
    command: () => [
      'cargo',
      'clippy',
      '--locked',
      ...FUZZ,
      '--target-dir',
      'target/fuzz',
      '--',
      '-D',
      'warnings'
    ],
    env: { RUSTFLAGS: '--cfg fuzzing' }
  },
  { name: 'rustfmt:fuzz', command: () => ['cargo', 'fmt', '--check', ...FUZZ] },
  { name: 'workflows', command: () => nodeTest('workflows.test.js') },
  { name: 'load', command: () => nodeTest('load.test.js') },
  { name: 'shape', command: () => nodeTest('shape.test.js') },
  // A thread may answer pings before the messages in front of them (doc/differences.md).
  ...overTransports('objects', () => nodeTest('objects'), ['stream', 'event_loop']),
  { name: 'docs', command: () => nodeTest('docs') },
  { name: 'examples', command: () => nodeTest('examples') },
  { name: 'listener', command: () => nodeTest('listener') },
  { name: 'transport', command: () => nodeTest('transport') },
  { name: 'scheduler', command: () => nodeTest('scheduler') },
  { name: 'fuzz', command: () => nodeTest('fuzz') },
  ...overTransports('differential', () => nodeTest('differential')),
  ...overTransports('interop', () => nodeTest('interop')),
  ...overTransports('observability', () => nodeTest('observability')),
  ...overTransports('deflate', () => nodeTest('deflate')),
  ...overTransports('memory', () => nodeTest('memory')),
  ...overTransports('hostile', () => nodeTest('hostile')),
  // Node's own streams end their sockets themselves, and moving is what `transport` and `differential` do.
  ...overTransports('lifecycle', () => nodeTest('lifecycle'), ['event_loop', 'io_threads']),
  { name: 'soak:checker', command: () => nodeTest('soak') },
  ...[
    ['auto', '60'],
    ['shuffle', '20']
  ].map(([transport, seconds]) => ({
    name: `soak:${transport}`,
    command: () => [process.execPath, '__test__/soak/soak.mjs', '--seconds', seconds],
    env: { FERROWS_TRANSPORT: transport }
  })),
  ...overTransports('autobahn', () => [process.execPath, '__test__/autobahn/run.mjs']),
  ...overTransports('browser', () => nodeTest('browser')),
  { name: 'install', command: () => nodeTest('install') },
  ...overTransports('dependents', () => projectTests('dependents')),
  { name: 'runtimes', command: () => projectTests('runtimes') },
  { name: 'environments', command: () => projectTests('environments') }
];

/** The process group of the suite that runs, to be ended with this process. @type {number | undefined} */
let running;

/**
 * Sends a signal to a process group.
 *
 * @param {number} group
 * @param {NodeJS.Signals | 0} signal 0 only asks whether it is there
 * @returns {boolean} whether there was such a group
 */
function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/**
 * Whether a process of a group is alive. One that has ended and that nobody has asked about yet is not: where the
 * first process of a container does not care for orphans, such stay.
 *
 * @param {number} group
 */
function isAlive(group) {
  if (!signalGroup(group, 0)) return false;
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc').some((name) => {
    try {
      // pid (name) state parent group ...; the name may hold anything.
      const [state, , of] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/.*\) /s, '')
        .split(' ');
      return Number(of) === group && state !== 'Z';
    } catch {
      return false;
    }
  });
}

/**
 * Runs a suite to its end and beyond, until none of its processes is left.
 *
 * @param {Suite} suite
 * @returns {Promise<string | undefined>} why it failed
 */
async function runSuite({ command, env }) {
  const [program, ...args] = command();
  const child = spawn(/** @type {string} */ (program), args, {
    cwd: root,
    detached: true,
    env: { ...withCargo(process.env), ...env },
    stdio: ['ignore', 'inherit', 'inherit']
  });
  const group = (running = child.pid);
  /** @type {string | undefined} */
  let failure;
  const limit = setTimeout(() => {
    failure = `took longer than ${TIME_LIMIT / 1000} s`;
    if (group) signalGroup(group, 'SIGKILL');
  }, TIME_LIMIT);
  await new Promise((resolve) => {
    child.on('error', (error) => {
      failure ??= error.message;
      resolve(undefined);
    });
    child.on('exit', (code, signal) => {
      if (code !== 0) failure ??= signal ? `ended by ${signal}` : `exit code ${code}`;
      resolve(undefined);
    });
  });
  clearTimeout(limit);
  if (group) {
    const deadline = Date.now() + GRACE;
    while (isAlive(group) && Date.now() < deadline) await delay(50);
    if (isAlive(group)) failure ??= 'left a process behind';
    signalGroup(group, 'SIGKILL');
  }
  running = undefined;
  return failure;
}

/** @param {string} text */
const header = (text) => console.log(`\n━━━ ${text} ${'━'.repeat(Math.max(0, 74 - text.length))}`);

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    list: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false }
  }
});

const suites = SUITES.filter(
  ({ name }) =>
    !values.only || values.only.some((only) => name === only || name.startsWith(`${only}:`))
);
if (values.list) {
  for (const { name } of suites) console.log(name);
  process.exit(0);
}
if (suites.length === 0) {
  console.error(
    `There is no such suite: choose among ${SUITES.map(({ name }) => name).join(', ')}.`
  );
  process.exit(1);
}
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    if (running) signalGroup(running, 'SIGKILL');
    process.exit(1);
  });
}

/** @type {[name: string, outcome: string, seconds: number][]} */
const outcomes = [];
let failed = false;
for (const [index, suite] of suites.entries()) {
  if (failed && !values['keep-going']) {
    outcomes.push([suite.name, 'not run', 0]);
    continue;
  }
  header(`${suite.name} (${index + 1} of ${suites.length})`);
  const start = Date.now();
  const failure = await runSuite(suite).catch((error) => String(error.message));
  failed ||= failure !== undefined;
  outcomes.push([
    suite.name,
    failure ? `FAILED: ${failure}` : 'passed',
    (Date.now() - start) / 1000
  ]);
}

header('summary');
for (const [name, outcome, seconds] of outcomes) {
  console.log(`${name.padEnd(24)} ${seconds.toFixed(1).padStart(7)} s  ${outcome}`);
}
console.log(failed ? '\nFailed.' : '\nAll passed.');
process.exit(failed ? 1 : 0);
