'use strict';

// Registers, runs and compares scenarios. Used by the test files, show.js, report.js and selfcheck.js.

const fs = require('node:fs');
const path = require('node:path');
const { Context } = require('./context');
const { Trace, difference, errorText } = require('./trace');

/** Default limit of one run of a scenario, in milliseconds. */
const TIMEOUT = 15000;

/**
 * @typedef {object} Scenario
 * @property {string} name begins with the id of its statement
 * @property {string} file the file below scenarios/ that registers it
 * @property {string} kind see subjects.js
 * @property {number} timeout milliseconds
 * @property {boolean} onThreads false if the scheduling of I/O threads decides the order of its events
 * @property {boolean} isWaiting true if a run mostly waits for a timer or a process: its runs overlap
 * @property {(t: Context) => Promise<void> | void} body
 */

/** @typedef {{ kind: string, server?: object, client?: object, label: string, isInterleaved?: boolean }} Combination */

/** @typedef {{ lines: string[], failure: string | null }} Recording the trace, and the reason if the run was interrupted */

/** @type {Scenario[]} */
const registered = [];

/** The file whose scenarios are being registered. */
let file = '';

/**
 * Registers a scenario.
 *
 * @param {string} name begins with the id of its statement
 * @param {string | string[]} kinds one of pair, together, server, client, api, or ['server', 'client'] to run it in both roles
 * @param {(t: Context) => Promise<void> | void} body
 * @param {{ timeout?: number, onThreads?: boolean, isWaiting?: boolean }} [options] see Scenario
 */
function scenario(name, kinds, body, options = {}) {
  const { timeout = TIMEOUT, isWaiting = false } = options;
  const all = [kinds].flat();
  for (const kind of all) {
    const { onThreads = kind !== 'together' } = options;
    const full = all.length > 1 ? `${name} (${kind})` : name;
    if (registered.some((one) => one.name === full)) throw new Error(`two scenarios named ${full}`);
    registered.push({ name: full, file, kind, timeout, onThreads, isWaiting, body });
  }
}

/** @returns {Scenario[]} all scenarios, in the order of files and of registration */
function scenarios() {
  const folder = path.join(__dirname, 'scenarios');
  for (file of fs.readdirSync(folder).sort()) require(path.join(folder, file));
  const only = process.env.DIFFERENTIAL_ONLY;
  return only ? registered.filter(({ name }) => name.includes(only)) : registered;
}

/**
 * Runs a scenario once.
 *
 * @param {Scenario} one
 * @param {Combination} combination
 * @param {number} [limit] milliseconds
 * @returns {Promise<Recording>}
 */
async function record({ body, timeout }, combination, limit = timeout) {
  const trace = new Trace(combination.isInterleaved);
  const context = new Context({ ...combination, trace });
  let timer;
  const expired = new Promise((resolve) => {
    timer = setTimeout(() => resolve(`not finished after ${limit} ms`), limit);
  });
  // Both branches resolve, so that a body that fails after its time limit causes no unhandled rejection.
  const done = (async () => body(context))().then(
    () => null,
    (err) => `threw ${errorText(err)}\n${err?.stack}`
  );
  const failure = await Promise.race([done, expired]);
  clearTimeout(timer);
  trace.freeze();
  await context.dispose();
  return { lines: trace.lines(), failure };
}

/**
 * Compares a recording with the expected one.
 *
 * @param {Recording} expected
 * @param {Recording} actual
 * @returns {string | null} a readable difference, or null if they are equal
 */
function verdict(expected, actual) {
  const diff = difference(expected.lines, actual.lines);
  if (!diff && !actual.failure) return null;
  return [
    actual.failure && `the run broke off: ${actual.failure}`,
    diff ?? '(the traces are equal so far)'
  ]
    .filter(Boolean)
    .join('\n');
}

/**
 * Runs a scenario with the oracle, then with the subject in each combination of roles.
 *
 * @param {Scenario} one
 * @param {{ expected: Combination, actual: Combination[] }} combinations
 * @param {number} [rounds] repetitions with the subject
 * @returns {Promise<{ model: Recording, differences: (string | null)[] }>} the oracle's recording; a verdict per run with the
 *   subject
 */
async function compare(one, { expected, actual }, rounds = 1) {
  const all = [expected, ...Array.from({ length: rounds }, () => actual).flat()];
  const recordings = [];
  if (one.isWaiting) {
    recordings.push(...(await Promise.all(all.map((combination) => record(one, combination)))));
  } else {
    for (const combination of all) recordings.push(await record(one, combination));
  }
  const [model, ...others] = recordings;
  const differences = others.map((recording, index) => {
    const text = verdict(model, recording);
    return text && `${all[index + 1].label}\n${text}`;
  });
  return { model, differences };
}

module.exports = { compare, record, scenario, scenarios, verdict };
