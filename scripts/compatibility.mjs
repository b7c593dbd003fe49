/**
 * Runs the differential scenarios over each transport and updates the generated tables of doc/compatibility.md and SPEC.md. Exits
 * with status 1 if a difference is found that __test__/differential/differences.js does not list.
 *
 * `--spec` updates SPEC.md only and runs nothing. The statements are in SPEC.md, the runs in report.js, the checks of both documents in spec.test.js.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './ready.mjs';

const require = createRequire(import.meta.url);
const differential = join(root, '__test__/differential');
const { differencesTable, reasonFor } = require(join(differential, 'differences.js'));
const { scenarios } = require(join(differential, 'run.js'));
const { SPEC, withScenarios } = require(join(differential, 'spec.js'));

const TRANSPORTS = ['stream', 'event_loop', 'io_threads'];
const DOCUMENT = join(root, 'doc/compatibility.md');

/**
 * Runs all scenarios over a transport.
 *
 * @param {string} transport
 * @returns {Promise<Map<string, boolean | null>>} by name: true if equal in every combination; null if not run
 */
async function run(transport) {
  const child = spawn(process.execPath, [join(differential, 'report.js')], {
    env: {
      ...process.env,
      FERROWS_TRANSPORT: transport,
      FERROWS_SUBJECT: '',
      DIFFERENTIAL_ONLY: ''
    },
    stdio: ['ignore', 'pipe', 'inherit']
  });
  const ended = once(child, 'close');
  /** @type {Map<string, boolean | null>} */
  const results = new Map();
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"name":')) continue;
    const { name, equal } = JSON.parse(line);
    results.set(name, equal);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`the run over ${transport} exited with ${code}`);
  return results;
}

/**
 * Replaces a generated part of a document.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} content
 */
function replaced(text, name, content) {
  const part = new RegExp(`(<!-- generated: ${name} -->\\n)[^]*?(<!-- end -->)`);
  if (!part.test(text)) throw new Error(`no generated part ${name}`);
  return text.replace(part, (_, begin, end) => `${begin}\n${content}\n\n${end}`);
}

writeFileSync(SPEC, withScenarios(readFileSync(SPEC, 'utf8'), scenarios()));
if (process.argv.includes('--spec')) process.exit(0);

/** @type {string[]} */
const rows = [];
/** @type {string[]} */
const unlisted = [];
for (const transport of TRANSPORTS) {
  console.log(`running the scenarios over ${transport} ...`);
  const outcomes = [...(await run(transport))].filter(([, equal]) => equal !== null);
  const differing = outcomes.filter(([, equal]) => !equal).map(([name]) => name);
  const defects = differing.filter((name) => reasonFor(name, transport) === null);
  unlisted.push(...defects.map((name) => `${name} (${transport})`));
  const equal = outcomes.length - differing.length;
  const listed = differing.length - defects.length;
  rows.push(`| ${transport} | ${outcomes.length} | ${equal} | ${listed} | ${defects.length} |`);
}

const totals = [
  `ws ${require('ws/package.json').version}:`,
  '',
  '| transport | scenarios | equal | listed differences | unlisted differences |',
  '| --- | --- | --- | --- | --- |',
  ...rows
].join('\n');
let text = readFileSync(DOCUMENT, 'utf8');
text = replaced(text, 'totals', totals);
text = replaced(text, 'differences', differencesTable());
writeFileSync(DOCUMENT, text);
for (const name of unlisted) console.log(`unlisted difference: ${name}`);
process.exit(unlisted.length ? 1 : 0);
