/**
 * Runs suites side by side: `npm test` the quick set, `npm run test:long` the rest. Stops at the first failure. The suites are in
 * suites.mjs, the table of `--changed` in changed.mjs.
 *
 *     --long            the long set
 *     --only NAME       the suite NAME, or the family NAME:...; can be repeated
 *     --group GROUP     the suites of a CI job: lint, core, node, conformance; can be repeated
 *     --changed         the suites of the files that differ from the main branch
 *     --keep-going      runs all suites, whatever fails
 *     --lanes N         suites that run at a time (2)
 *     --verbose         prints the output of passed suites at a terminal, too
 *     --list            prints the names, sets and groups of the suites, and runs none
 *
 * The output of a suite is printed when it ends, and stays in target/suites/NAME.log. No suite is ever skipped: one that cannot
 * run fails, as does one that leaves a process behind.
 */

import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { changedFiles, suitesOf } from './changed.mjs';
import { killAll, runGroup } from './process-group.mjs';
import { root } from './ready.mjs';
import { SUITES, suitesNamed } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */

/** Suites at a time. More would need more cores than the tests have been proven on. */
const LANES = Math.min(2, availableParallelism());

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    group: { type: 'string', multiple: true },
    changed: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    lanes: { type: 'string', default: String(LANES) },
    verbose: { type: 'boolean', default: !process.stdout.isTTY },
    list: { type: 'boolean', default: false }
  }
});

/** @param {string} message @returns {never} */
function refuse(message) {
  console.error(message);
  process.exit(1);
}

/** The suites that the options choose, in the order of the catalog. @returns {Suite[]} */
function choose() {
  const names = [
    ...(values.only ?? []),
    ...(values.changed ? changedFiles().flatMap(suitesOf) : [])
  ];
  const unknown = names.find((name) => suitesNamed(name).length === 0);
  if (unknown !== undefined)
    refuse(`There is no suite ${unknown}: "npm test -- --list" names them.`);
  if (values.only || values.changed) {
    const named = new Set(names.flatMap(suitesNamed));
    return SUITES.filter((suite) => named.has(suite));
  }
  if (values.group) return SUITES.filter(({ group }) => values.group?.includes(group));
  return values.list
    ? SUITES
    : SUITES.filter(({ set }) => set === (values.long ? 'long' : 'quick'));
}

const suites = choose();
if (values.list) {
  for (const { name, set, group } of suites) {
    console.log(`${name.padEnd(24)} ${set.padEnd(6)} ${group}`);
  }
  process.exit(0);
}
if (suites.length === 0) {
  if (!values.changed) refuse('No suite is chosen.');
  console.log('Nothing differs from the main branch.');
  process.exit(0);
}
const lanes = Number(values.lanes);
if (!(lanes >= 1)) refuse('--lanes takes a number from 1.');

const logs = join(root, 'target/suites');
mkdirSync(logs, { recursive: true });

/** @param {string} text */
const header = (text) => console.log(`\n━━━ ${text} ${'━'.repeat(Math.max(0, 74 - text.length))}`);

/** @type {Map<Suite, { outcome: string, seconds: number }>} */
const outcomes = new Map();
/** The exclusive ones last: they wait for all others to end. */
const waiting = [
  ...suites.filter(({ exclusive }) => !exclusive),
  ...suites.filter(({ exclusive }) => exclusive)
];
/** The suites that run, and their ends. @type {Map<Suite, Promise<void>>} */
const active = new Map();
let failed = false;
const isStopping = () => failed && !values['keep-going'];

/** True if a suite may run beside the active ones. @param {Suite} suite */
const fits = (suite) =>
  active.size === 0 ||
  (active.size < lanes &&
    !suite.exclusive &&
    [...active.keys()].every(
      ({ exclusive, resource }) => !exclusive && (!resource || resource !== suite.resource)
    ));

/** Runs a suite and prints its outcome. @param {Suite} suite */
async function run(suite) {
  // The output of a single suite is shown as it comes.
  const log = join(logs, `${suite.name.replace(':', '-')}.log`);
  const output = suites.length === 1 ? 'inherit' : openSync(log, 'w');
  if (suites.length > 1) console.log(`${suite.name} ...`);
  const start = performance.now();
  let failure;
  try {
    failure = await runGroup(suite.command(), { env: suite.env, output });
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const seconds = (performance.now() - start) / 1000;
  if (typeof output === 'number') closeSync(output);
  active.delete(suite);
  if (failure !== undefined && isStopping()) {
    outcomes.set(suite, { outcome: 'stopped', seconds });
    return;
  }
  const outcome = failure === undefined ? 'passed' : `FAILED: ${failure}`;
  outcomes.set(suite, { outcome, seconds });
  header(
    `${suite.name}: ${outcome}, ${seconds.toFixed(1)} s (${outcomes.size} of ${suites.length})`
  );
  if (typeof output === 'number' && (failure !== undefined || values.verbose)) {
    process.stdout.write(readFileSync(log));
  }
  if (failure === undefined) return;
  failed = true;
  if (isStopping()) killAll();
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    killAll();
    process.exit(1);
  });
}

const start = performance.now();
while (active.size > 0 || (waiting.length > 0 && !isStopping())) {
  for (let at = 0; at >= 0 && !isStopping();) {
    at = waiting.findIndex(fits);
    const [suite] = at < 0 ? [] : waiting.splice(at, 1);
    // Set before the first await of run(), which deletes it.
    if (suite)
      active.set(
        suite,
        Promise.resolve().then(() => run(suite))
      );
  }
  await Promise.race(active.values());
}

header('summary');
for (const suite of suites) {
  const { outcome, seconds } = outcomes.get(suite) ?? { outcome: 'not run', seconds: 0 };
  console.log(`${suite.name.padEnd(24)} ${seconds.toFixed(1).padStart(7)} s  ${outcome}`);
}
const minutes = ((performance.now() - start) / 60_000).toFixed(1);
console.log(`\n${failed ? 'Failed' : 'All passed'} after ${minutes} minutes.`);
process.exitCode = failed ? 1 : 0;
