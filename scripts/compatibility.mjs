/**
 * Runs the differential scenarios over each transport and writes doc/compatibility.md: what of the behavior of ws is
 * covered by which scenarios, and whether ferrows was equal. Ends with status 1 if a difference is found that
 * __test__/differential/differences.js does not list; the document is written all the same and shows it.
 *
 * Does not belong here: the lists (statements.js, rows.js), the runs (report.js), and what the document must hold
 * (statements.test.js).
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './ready.mjs';

/** @typedef {import('../__test__/differential/statements.js').Statement} Statement */
/** @typedef {import('../__test__/differential/rows.js').Row} Row */

const require = createRequire(import.meta.url);
const differential = join(root, '__test__/differential');
const { reasonFor } = require(join(differential, 'differences.js'));
/** @type {Row[]} */
const ROWS = require(join(differential, 'rows.js')).ROWS;
const { STATEMENTS, begins, idOf, showing } = require(join(differential, 'statements.js'));

const TRANSPORTS = ['stream', 'event_loop', 'io_threads'];

/**
 * Runs all scenarios over a transport.
 *
 * @param {string} transport
 * @returns {Promise<Map<string, boolean | null>>} by name: whether it was equal in every combination; null: not run
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
  if (code !== 0) throw new Error(`the run over ${transport} ended with ${code}`);
  return results;
}

/** @type {Map<string, boolean | null>[]} */
const results = [];
for (const transport of TRANSPORTS) {
  console.log(`running the scenarios over ${transport} ...`);
  results.push(await run(transport));
}
const names = [...results[0].keys()];
/** @type {Set<string>} */
const unlisted = new Set();

/**
 * One cell: whether these scenarios were equal over a transport.
 *
 * @param {string[]} shown
 * @param {number} index of the transport
 */
function cell(shown, index) {
  const differing = shown.filter((name) => results[index].get(name) === false);
  if (differing.length === 0) return 'yes';
  const reasons = new Set(
    differing.map((name) => {
      const reason = reasonFor(name, TRANSPORTS[index]);
      if (reason) return reason;
      unlisted.add(`${name} (${TRANSPORTS[index]})`);
      return `a defect: \`${name}\``;
    })
  );
  return `differs in ${differing.length}: ${[...reasons].join('; ')}`;
}

/**
 * One line of a table.
 *
 * @param {string[]} first cells
 * @param {string[]} shown scenarios
 */
function tableLine(first, shown) {
  const rest = [String(shown.length), ...TRANSPORTS.map((_, index) => cell(shown, index))];
  return `| ${[...first, ...rest].join(' | ')} |`;
}

/** @param {string[]} columns */
const head = (...columns) => [
  `| ${[...columns, 'scenarios', ...TRANSPORTS].join(' | ')} |`,
  `| ${[...columns, '', '', ''].map(() => '---').join(' | ')} |`
];

const statements = STATEMENTS.map((/** @type {Statement} */ one) =>
  tableLine([one.id, one.title], showing(one, names))
);
const rows = ROWS.map(({ group, row, scenarios }) => {
  const shown = names.filter((name) => scenarios.some((beginning) => begins(name, beginning)));
  return tableLine([group, row], shown);
});
const lists = STATEMENTS.flatMap((/** @type {Statement} */ { id, title, also }) => {
  const own = names.filter((name) => idOf(name) === id);
  const others = also
    ? `; also those that begin with ${also.map((one) => `\`${one}\``).join(', ')}`
    : '';
  if (own.length === 0 && !also) return [];
  return [`- **${id}** ${title}${others}`, ...own.map((name) => `  - \`${name}\``)];
});
const totals = TRANSPORTS.map((transport, index) => {
  const shown = names.filter((name) => results[index].get(name) !== null);
  const equal = shown.filter((name) => results[index].get(name)).length;
  const listed = shown.filter(
    (name) => !results[index].get(name) && reasonFor(name, transport) !== null
  ).length;
  return `| ${transport} | ${shown.length} | ${equal} | ${listed} | ${shown.length - equal - listed} |`;
});

const text = `# Compatibility with ws

Made by \`npm run compatibility\` against ws ${require('ws/package.json').version}; do not edit. A scenario is a small program that
runs with ws on every side, and with ferrows on one or both; "yes" says that all that was recorded (events, arguments, states,
errors, bytes) was the same in every combination. The differences that are meant are explained in differences.md.

## Totals

${STATEMENTS.length} statements and ${ROWS.length} rows of the API have scenarios.

| transport | scenarios | equal | different on purpose | defects |
| --- | --- | --- | --- | --- |
${totals.join('\n')}

## Statements

A scenario may show more than one statement.

${[...head('statement', 'about'), ...statements].join('\n')}

## Rows of the API

${[...head('table', 'row'), ...rows].join('\n')}

## Scenarios

<details>
<summary>All ${names.length}, by the statement they belong to</summary>

${lists.join('\n')}

</details>
`;
writeFileSync(join(root, 'doc/compatibility.md'), text);
console.log(`${names.length} scenarios; doc/compatibility.md is written`);
for (const name of unlisted) console.log(`differs, and is not listed: ${name}`);
process.exit(unlisted.size ? 1 : 0);
