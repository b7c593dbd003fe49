/**
 * Checks memory accesses of the addon: `node scripts/memcheck.mjs [PART...]`. Not a suite of `npm test`: it builds the library
 * twice more, into target/memcheck, and takes minutes. Linux only.
 *
 * * `rust`: AddressSanitizer with leak detection over the Rust tests of the transports.
 * * `addon`: AddressSanitizer over the addon in Node, driven by __test__/memcheck/exercise.js, over each transport.
 * * `valgrind`: the same with memcheck, which also reports uninitialized values.
 *
 * Node itself is not instrumented. AddressSanitizer reports accesses by code of the addon only. Many reports of memcheck are about
 * V8; those with a function of the addon in their stacks count.
 *
 * ThreadSanitizer is left out: the standard library of a toolchain is not instrumented, so accesses ordered by a contended Mutex
 * look like races. tests/loom.rs checks the order of threads.
 */

import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { root, withCargo } from './ready.mjs';

/** A target with a sanitizer runtime. Naming it keeps the flags away from build scripts. */
const TARGET = 'x86_64-unknown-linux-gnu';

/** Runs of the exercise: each transport, and a host without libuv. */
const WAYS = [
  ...['stream', 'event_loop', 'io_threads'].map((transport) => ({
    name: transport,
    env: { FERROWS_TRANSPORT: transport }
  })),
  { name: 'without libuv', env: { FERROWS_TRANSPORT: 'auto', FERROWS_LIBUV: '0' } }
];

/** Milliseconds that a run may take. */
const TIME_LIMIT = 10 * 60 * 1000;

const target = join(process.env.CARGO_TARGET_DIR || join(root, 'target'), 'memcheck');
const exercise = join(root, '__test__/memcheck/exercise.js');
/** Suppressions of memcheck's reports about Node's own code. */
const known = join(root, '__test__/memcheck/valgrind.supp');

/** A failure that only the user can mend; the message is the sentence to show. */
class Missing extends Error {}

/**
 * The rows of the table at the end.
 *
 * @type {{ name: string, seconds: number, findings: string[] }[]}
 */
const outcomes = [];

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env additional variables
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run(program, args, env) {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...withCargo(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL'
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, output }));
  });
}

/**
 * Runs a check and records its findings.
 *
 * @param {string} name
 * @param {() => Promise<string[]>} check
 */
async function record(name, check) {
  const start = Date.now();
  const findings = await check();
  const seconds = (Date.now() - start) / 1000;
  console.log(
    `${name}: ${findings.length === 0 ? 'nothing found' : 'FOUND'}, ${seconds.toFixed(1)} s`
  );
  outcomes.push({ name, seconds, findings });
}

/** Variables for AddressSanitizer. Stable toolchains have its runtime; its flag is unstable. */
const INSTRUMENTED = { RUSTC_BOOTSTRAP: '1', RUSTFLAGS: '-Zsanitizer=address' };

/** @param {string[]} args of cargo @param {NodeJS.ProcessEnv} [env] */
async function cargo(args, env = {}) {
  const built = await run('cargo', [...args, '--locked', '--target-dir', target], env);
  if (built.code !== 0) throw new Missing(`cargo ${args[0]} failed:\n${built.output}`);
}

/** @param {string} output @returns {string[]} the tail of an output, as one finding */
const tail = (output) => [output.trim().split('\n').slice(-60).join('\n')];

async function rust() {
  const args = ['--target', TARGET, '--no-default-features', '--features', 'transport'];
  await cargo(['test', '--no-run', ...args], INSTRUMENTED);
  // Without tests/loom.rs: loom switches stacks on its own, which the sanitizer cannot follow.
  const tests = ['--lib', '--test', 'leaks', '--test', 'threads'];
  await record('asan: Rust tests', async () => {
    const { code, output } = await run(
      'cargo',
      ['test', '--locked', '--target-dir', target, ...args, ...tests],
      { ...INSTRUMENTED, ASAN_OPTIONS: 'detect_leaks=1' }
    );
    return code === 0 ? [] : tail(output);
  });
}

/**
 * The library of a build, under the name of an addon.
 *
 * @param {string} folder below the target folder
 */
function addonOf(folder) {
  const addon = join(target, folder, 'ferrows.node');
  copyFileSync(join(target, folder, 'libferrows.so'), addon);
  return realpathSync(addon);
}

async function sanitizedAddon() {
  const runtime = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const library = runtime.stdout?.trim() ?? '';
  if (!isAbsolute(library) || !existsSync(library)) {
    throw new Missing("gcc's libasan.so is missing: install gcc (Debian: apt-get install gcc).");
  }
  await cargo(['build', '--lib', '--target', TARGET], INSTRUMENTED);
  const env = {
    NAPI_RS_NATIVE_LIBRARY_PATH: addonOf(join(TARGET, 'debug')),
    LD_PRELOAD: library,
    // V8 keeps memory until the process ends.
    ASAN_OPTIONS: 'detect_leaks=0'
  };
  for (const way of WAYS) {
    await record(`asan: addon, ${way.name}`, async () => {
      const { code, output } = await run(process.execPath, [exercise], { ...env, ...way.env });
      return code === 0 && output.startsWith('done') ? [] : tail(output);
    });
  }
}

/**
 * The errors in a report of memcheck with a function of the addon in one of their stacks. Leaks, which a report in XML always
 * lists, do not count: Node exits without freeing memory of process lifetime, and memcheck cannot see the references to it.
 *
 * @param {string} report XML
 * @param {string} object path of the addon
 */
function errorsIn(report, object) {
  const errors = report
    .split('<error>')
    .slice(1)
    .filter((error) => !error.includes('<kind>Leak_'));
  const own = errors.filter((error) => error.includes(`<obj>${object}</obj>`));
  return { all: errors.length, own: own.map(readable) };
}

/** @param {string} error XML */
function readable(error) {
  const message = /<what>(.*?)<\/what>|<text>(.*?)<\/text>/.exec(error);
  const frames = [...error.matchAll(/<frame>(.*?)<\/frame>/gs)].map(([, frame]) => {
    const [, name] = /<fn>(.*?)<\/fn>/.exec(frame) ?? /<obj>(.*?)<\/obj>/.exec(frame) ?? [];
    const [, line] = /<line>(.*?)<\/line>/.exec(frame) ?? [];
    return `  ${name ?? '?'}${line ? `, line ${line}` : ''}`;
  });
  return [message?.[1] ?? message?.[2], ...frames].join('\n');
}

async function valgrind() {
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    throw new Missing('valgrind is missing: install it (Debian: apt-get install valgrind).');
  }
  await cargo(['build', '--lib', '--profile', 'profiling']);
  const object = addonOf('profiling');
  const folder = join(target, 'reports');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  /** @param {typeof WAYS[number]} way */
  const check = async (way) => {
    const prefix = way.name.replaceAll(' ', '-');
    await record(`valgrind: ${way.name}`, async () => {
      const args = [
        '--smc-check=all-non-file',
        '--num-callers=40',
        '--xml=yes',
        `--suppressions=${known}`
      ];
      const { code, output } = await run(
        'valgrind',
        [...args, `--xml-file=${join(folder, prefix)}.%p.xml`, process.execPath, exercise],
        { ...way.env, NAPI_RS_NATIVE_LIBRARY_PATH: object }
      );
      const reports = readdirSync(folder).filter((name) => name.startsWith(`${prefix}.`));
      const found = reports.map((name) =>
        errorsIn(readFileSync(join(folder, name), 'utf8'), object)
      );
      const total = found.reduce((sum, { all }) => sum + all, 0);
      const findings = found.flatMap(({ own }) => own);
      console.log(
        `valgrind, ${way.name}: errors with a frame in the addon: ${findings.length} (of ${total}, the others are Node's)`
      );
      if (code !== 0 || !output.includes('done')) findings.push(...tail(output));
      if (reports.length === 0) findings.push('valgrind wrote no report');
      return findings;
    });
  };
  // valgrind runs one thread at a time.
  await Promise.all(WAYS.map(check));
}

/** @type {Record<string, () => Promise<void>>} */
const PARTS = { rust, addon: sanitizedAddon, valgrind };

const named = process.argv.slice(2);
const unknown = named.find((name) => !Object.hasOwn(PARTS, name));
try {
  if (unknown) throw new Missing(`There is no part ${unknown}: ${Object.keys(PARTS).join(', ')}.`);
  if (process.platform !== 'linux') throw new Missing('This runs on Linux only.');
  mkdirSync(target, { recursive: true });
  for (const name of named.length > 0 ? named : Object.keys(PARTS)) await PARTS[name]();
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

for (const { name, findings } of outcomes) {
  for (const finding of findings) console.error(`\n${name}:\n${finding}`);
}
console.log();
for (const { name, seconds, findings } of outcomes) {
  const outcome = findings.length === 0 ? 'nothing found' : `FOUND ${findings.length}`;
  console.log(`${name.padEnd(32)} ${seconds.toFixed(1).padStart(7)} s  ${outcome}`);
}
if (outcomes.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
