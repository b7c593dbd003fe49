/**
 * Runs a program of project/ with ws and with ferrows under that name, at the same time, and compares the outcomes: its exit,
 * its records (`record()` of project/record.cjs), and the parts of its output that `read` extracts. The control has to succeed.
 * Called by the tests here.
 *
 * `--all` of ../project-tests.mjs (FERROWS_ENVIRONMENTS=all) adds cases that the suite leaves out.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderOf, prepare, SUBJECTS } from './install.mjs';

prepare();

const isAll = process.env.FERROWS_ENVIRONMENTS === 'all';

/** Milliseconds that a program may take. */
const TIME_LIMIT = 40_000;

/** A key, and its certificate for the loopback address. */
const CERTIFICATES = fileURLToPath(new URL('../differential/fixtures', import.meta.url));

/** Variables that would change the behavior of the tools. */
const FOREIGN =
  /^(FERROWS_|NODE_OPTIONS$|NODE_TEST_CONTEXT$|CI$|GITHUB_|JEST_|VITEST|DD_|OTEL_|PM2_|FORCE_COLOR$)/;

const inherited = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => name === 'FERROWS_TRANSPORT' || !FOREIGN.test(name)
  )
);

/** @typedef {import('./install.mjs').Subject} Subject */
/** @typedef {{ code: number | null, signal: string | null, stdout: string, stderr: string }} Run */

/**
 * @typedef {object} Case
 * @property {Record<string, string>} [env] additional variables
 * @property {boolean} [isGate] `false`: only with `--all`
 * @property {number} [code] the expected exit code, 0 by default
 * @property {(run: Run, folder: string) => unknown} [read] extracts from the output, to be equal
 * @property {(folder: string, subject: Subject) => unknown} [before] prepares the folder of a subject
 * @property {number} [limit] milliseconds that it may take
 * @property {number} [records] the least number of records, 1 by default
 */

/**
 * @param {Subject} subject
 * @param {string[]} args
 * @param {Case} options
 */
async function outcome(subject, args, { env, read, before, limit = TIME_LIMIT }) {
  const folder = folderOf(subject);
  await before?.(folder, subject);
  mkdirSync(join(folder, 'temporary'), { recursive: true });
  const temporary = mkdtempSync(join(folder, 'temporary/run-'));
  const records = join(temporary, 'records');
  writeFileSync(records, '');
  const child = spawn(process.execPath, args, {
    cwd: folder,
    detached: true,
    env: {
      ...inherited,
      NO_COLOR: '1',
      SUBJECT: subject,
      RECORDS: records,
      CERTIFICATES,
      TMPDIR: temporary,
      ...env
    },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const timer = setTimeout(() => process.kill(-Number(child.pid), 'SIGKILL'), limit);
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close')
  ]);
  clearTimeout(timer);
  const run = { code, signal, stdout, stderr };
  const recorded = readFileSync(records, 'utf8').split('\n').filter(Boolean).sort();
  const said = read?.(run, folder);
  rmSync(temporary, { recursive: true, force: true });
  return {
    run,
    outcome: { code, signal, said, recorded: recorded.map((line) => JSON.parse(line)) }
  };
}

/** @param {Subject} subject @param {Run} run */
const describe = (subject, { code, signal, stdout, stderr }) =>
  `with ${subject}: ${signal ?? code}\n${stdout.slice(-6000)}\n${stderr.slice(-6000)}`;

/**
 * Declares a test that compares both subjects.
 *
 * @param {string} name
 * @param {string[]} args arguments of node
 * @param {Case} [options]
 */
export function compare(name, args, options = {}) {
  if (options.isGate === false && !isAll) return;
  test(name, { timeout: (options.limit ?? TIME_LIMIT) + 10_000 }, async () => {
    const [control, subject] = await Promise.all(
      SUBJECTS.map((candidate) => outcome(candidate, args, options))
    );
    assert.ok(control && subject);
    const { code, recorded } = control.outcome;
    assert.equal(code, options.code ?? 0, describe('ws', control.run));
    assert.ok(recorded.length >= (options.records ?? 1), 'the control has recorded too little');
    try {
      assert.deepEqual(subject.outcome, control.outcome);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      throw new Error(`${message}\n${describe('ferrows', subject.run)}`, { cause: error });
    }
  });
}
