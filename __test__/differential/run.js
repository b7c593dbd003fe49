'use strict';

// Runs scenarios and compares what they recorded. Used by the test files and selfcheck.js; scenarios
// register themselves through `scenario`.

const fs = require('node:fs');
const path = require('node:path');
const { Context } = require('./context');
const { Trace, difference, errorText } = require('./trace');

/** How long one run of one scenario may take, in milliseconds; a scenario can set its own. */
const TIMEOUT = 15000;

/**
 * @typedef {{ name: string, kind: string, timeout: number, onThreads: boolean, body: (t: Context) => Promise<void> | void }} Scenario
 */

/** @type {Scenario[]} */
const registered = [];

/**
 * Registers a scenario.
 *
 * @param {string} name begins with the statement of the specification it is about
 * @param {string | string[]} kinds one of pair, together, server, client, api, or ['server', 'client'] to run it in both roles
 * @param {(t: Context) => Promise<void> | void} body
 * @param {{ timeout?: number, onThreads?: boolean }} [options] onThreads: false where I/O threads have a say in what comes first, as between connections
 */
function scenario(name, kinds, body, { timeout = TIMEOUT, ...options } = {}) {
  const all = [kinds].flat();
  for (const kind of all) {
    const { onThreads = kind !== 'together' } = options;
    const full = all.length > 1 ? `${name} (${kind})` : name;
    if (registered.some((one) => one.name === full)) throw new Error(`two scenarios named ${full}`);
    registered.push({ name: full, kind, timeout, onThreads, body });
  }
}

/** @returns {Scenario[]} all scenarios, in the order of files and of registration */
function scenarios() {
  const folder = path.join(__dirname, 'scenarios');
  for (const file of fs.readdirSync(folder).sort()) require(path.join(folder, file));
  const only = process.env.DIFFERENTIAL_ONLY;
  return only ? registered.filter(({ name }) => name.includes(only)) : registered;
}

/**
 * Runs a scenario once.
 *
 * @param {Scenario} one
 * @param {{ kind: string, server?: object, client?: object, isInterleaved?: boolean }} combination
 * @param {number} [limit] milliseconds
 * @returns {Promise<{ lines: string[], failure: string | null }>} the trace; why the run broke off, if it did
 */
async function record({ body, timeout }, combination, limit = timeout) {
  const trace = new Trace(combination.isInterleaved);
  const context = new Context({ ...combination, trace });
  let timer;
  const expired = new Promise((resolve) => {
    timer = setTimeout(() => resolve(`not finished after ${limit} ms`), limit);
  });
  // Both arms resolve, so that a body that fails after its time is over disturbs nobody.
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
 * Compares a run with the expected one.
 *
 * @param {{ lines: string[], failure: string | null }} expected
 * @param {{ lines: string[], failure: string | null }} actual
 * @returns {string | null} null if they agree, else text for a person
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

module.exports = { scenario, scenarios, record, verdict };
