/**
 * Fuzzes the core: `node scripts/fuzz.mjs [--seconds N] [--jobs N] [TARGET...]`, by default each target for 60 seconds. A target is
 * a file of fuzz/targets/ (libFuzzer with AddressSanitizer; src/fuzzing/ has the assertions) or of fuzz/js/. The exit code is 1 if
 * anything was found, or a target did not run.
 *
 * Needs the Rust toolchain that builds ferrows, a C++ compiler, and the crates of fuzz/Cargo.lock. Writes to target/fuzz/: crashes
 * to findings/, and to corpus/ the inputs that the next run starts from, besides the seeds. `cargo test` replays the seeds.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { checkRust, root, withCargo } from './ready.mjs';

/**
 * @typedef {{ name: string, kind: 'rust' | 'js' }} Target
 * @typedef {{ name: string, executions: number, seconds: number, coverage: string, crashes: number, note: string }} Outcome
 */

/** Limits of one input: seconds, and MiB of memory. */
const CASE_SECONDS = 20;
const CASE_MEMORY = 2048;
/** Bytes of an input. The work of a target grows with its input, and small inputs reach all code. */
const LONGEST_INPUT = 1024;
/** Seconds that a fuzzer may run beyond its time: it replays all seeds first. */
const GRACE = 60;
/** Characters of a fuzzer's output that are kept. */
const KEPT_OUTPUT = 64 * 1024;

const FUZZ = join(root, 'fuzz');
const WORK = join(root, 'target', 'fuzz');

/** Instrumentation for libFuzzer, by options of LLVM that any toolchain accepts. */
const INSTRUMENTED = [
  '--cfg=fuzzing',
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
  '-Zsanitizer=address'
];

/** @returns {Target[]} */
function allTargets() {
  const named = (/** @type {string} */ folder, /** @type {string} */ end) =>
    existsSync(join(FUZZ, folder))
      ? readdirSync(join(FUZZ, folder))
          .filter((file) => file.endsWith(end))
          .map((file) => basename(file, end))
          .sort()
      : [];
  return [
    ...named('targets', '.rs').map((name) => /** @type {Target} */ ({ name, kind: 'rust' })),
    ...named('js', '.fuzz.mjs').map((name) => /** @type {Target} */ ({ name, kind: 'js' }))
  ];
}

/**
 * Builds all targets in Rust.
 *
 * @returns {string} the folder with the programs
 */
function build() {
  checkRust();
  const env = withCargo(process.env);
  const version = spawnSync('rustc', ['-vV'], { cwd: root, encoding: 'utf8', env });
  const host = /^host: (.+)$/m.exec(version.stdout ?? '')?.[1];
  if (!host) throw new Error('"rustc -vV" prints no host');
  // --target keeps the flags away from build scripts, which are not linked with libFuzzer.
  const { status } = spawnSync(
    'cargo',
    [
      'build',
      '--release',
      '--locked',
      '--manifest-path',
      join(FUZZ, 'Cargo.toml'),
      '--target',
      host
    ],
    {
      cwd: root,
      // Every toolchain has the sanitizer; its option is unstable.
      env: {
        ...env,
        CARGO_ENCODED_RUSTFLAGS: INSTRUMENTED.join('\x1f'),
        CARGO_TARGET_DIR: WORK,
        RUSTC_BOOTSTRAP: '1'
      },
      stdio: ['ignore', 'inherit', 'inherit']
    }
  );
  if (status !== 0) throw new Error('the targets could not be built');
  return join(WORK, host, 'release');
}

/**
 * The command of a target.
 *
 * @param {Target} target
 * @param {number} seconds
 * @param {string} programs
 * @returns {string[]}
 */
function commandOf({ name, kind }, seconds, programs) {
  if (kind === 'js') {
    return [process.execPath, join(FUZZ, 'js', `${name}.fuzz.mjs`), '--seconds', `${seconds}`];
  }
  const [corpus, findings] = ['corpus', 'findings'].map((folder) => join(WORK, folder, name));
  for (const folder of [corpus, findings]) mkdirSync(folder, { recursive: true });
  return [
    join(programs, name),
    // libFuzzer writes new inputs to the first folder, and only reads the second.
    corpus,
    join(FUZZ, 'seeds', name),
    `-artifact_prefix=${findings}/`,
    `-max_total_time=${seconds}`,
    `-max_len=${LONGEST_INPUT}`,
    `-timeout=${CASE_SECONDS}`,
    `-rss_limit_mb=${CASE_MEMORY}`,
    '-len_control=20',
    '-print_final_stats=1'
  ];
}

/** The process groups of running fuzzers, which are killed with this process. @type {Set<number>} */
const running = new Set();

/** @param {number} group */
function kill(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/**
 * Runs a program to its end.
 *
 * @param {string[]} command
 * @param {number} seconds
 * @returns {Promise<{ output: string, failure: string | undefined, seconds: number }>}
 */
async function run([program, ...args], seconds) {
  const start = Date.now();
  const child = spawn(/** @type {string} */ (program), args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const group = child.pid;
  if (group) running.add(group);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-KEPT_OUTPUT);
    });
  }
  /** @type {string | undefined} */
  let failure;
  const limit = setTimeout(
    () => {
      failure = 'did not end';
      if (group) kill(group);
    },
    (seconds + GRACE) * 1000
  );
  await new Promise((resolve) => {
    child.on('error', (error) => {
      failure ??= error.message;
      resolve(undefined);
    });
    child.on('close', (code, signal) => {
      if (code !== 0) failure ??= signal ? `ended by ${signal}` : `exit code ${code}`;
      resolve(undefined);
    });
  });
  clearTimeout(limit);
  if (group) {
    kill(group);
    running.delete(group);
  }
  return { output, failure, seconds: (Date.now() - start) / 1000 };
}

/**
 * Fuzzes with one target.
 *
 * @param {Target} target
 * @param {number} seconds
 * @param {string} programs
 * @returns {Promise<Outcome>}
 */
async function fuzz(target, seconds, programs) {
  const findings = join(WORK, 'findings', target.name);
  rmSync(findings, { recursive: true, force: true });
  const ended = await run(commandOf(target, seconds, programs), seconds);
  const found = existsSync(findings) ? readdirSync(findings) : [];
  const seen = target.kind === 'rust' ? parseLibFuzzer(ended.output) : parseJs(ended.output);
  const failed = ended.failure !== undefined || found.length > 0;
  const crashes = Math.max(seen.crashes, found.length, failed ? 1 : 0);
  const notes = found.map((file) => relative(root, join(findings, file)));
  if (crashes > 0)
    console.log(`\n${target.name}: ${ended.failure ?? ''}\n${ended.output.slice(-8000)}`);
  return {
    name: target.name,
    executions: seen.executions,
    seconds: ended.seconds,
    coverage: seen.coverage,
    crashes,
    note: notes.join(' ') || (failed ? (ended.failure ?? '') : '')
  };
}

/**
 * Reads the statistics at the end of libFuzzer's output.
 *
 * @param {string} output
 */
function parseLibFuzzer(output) {
  const coverage = [...output.matchAll(/ cov: (\d+) /g)].map(([, edges]) => Number(edges));
  const executions = /^stat::number_of_executed_units: *(\d+)/m.exec(output)?.[1];
  const added = /^stat::new_units_added: *(\d+)/m.exec(output)?.[1];
  return {
    executions: Number(executions ?? 0),
    // Without statistics it did not reach its end.
    crashes: executions === undefined ? 1 : 0,
    coverage: `${coverage.at(-1) ?? 0} edges, ${added ?? 0} new inputs`
  };
}

/**
 * Reads the last line of a fuzzer in JavaScript, which is JSON.
 *
 * @param {string} output
 */
function parseJs(output) {
  try {
    const { executions, crashes } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
    if (Number.isInteger(executions) && Number.isInteger(crashes)) {
      return { executions, crashes, coverage: '' };
    }
  } catch {
    // Not JSON: a crash, as below.
  }
  return { executions: 0, crashes: 1, coverage: 'no last line of JSON' };
}

/** @param {Outcome[]} outcomes */
function print(outcomes) {
  const rows = [
    ['target', 'executions', 'a second', 'coverage', 'crashes', ''],
    ...outcomes.map(({ name, executions, seconds, coverage, crashes, note }) => [
      name,
      `${executions}`,
      `${Math.round(executions / seconds)}`,
      coverage,
      `${crashes}`,
      note
    ])
  ];
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()
    );
  }
}

/** @param {string} text @param {string} name */
function positive(text, name) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--${name} takes a number from 1 on`);
  return number;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      jobs: { type: 'string', default: '1' }
    }
  });
  const seconds = positive(values.seconds, 'seconds');
  const jobs = positive(values.jobs, 'jobs');
  const all = allTargets();
  const unknown = positionals.find((name) => !all.some((target) => target.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no target ${unknown}: ${all.map(({ name }) => name).join(', ')}`);
  }
  const targets = all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const programs = targets.some(({ kind }) => kind === 'rust') ? build() : '';

  /** @type {Outcome[]} */
  const outcomes = [];
  const waiting = [...targets];
  const work = async () => {
    for (let target = waiting.shift(); target; target = waiting.shift()) {
      console.log(`${target.name}: ${seconds} s`);
      outcomes.push(await fuzz(target, seconds, programs));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  console.log();
  print(outcomes);
  return outcomes.length === targets.length && outcomes.every(({ crashes }) => crashes === 0);
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    for (const group of running) kill(group);
    process.exit(1);
  });
}
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exitCode = 1;
}
