// The benchmark: `node bench/run.mjs` (or `npm run bench`). Makes the programs ready, measures every subject under every
// workload in interleaved rounds, prints the tables and writes results.md, .json and .svg. README.md tells the method.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { ECHO, SUBJECTS, WORKLOADS } from './catalog.mjs';
import { measure } from './measure.mjs';
import { build, prepare } from './programs.mjs';
import { page, tables } from './report/page.mjs';
import { chart } from './report/chart.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** The names of the results, without their endings. */
const RESULTS = here('results');
/** What has been measured up to now, for whoever ends a run early. */
const UNFINISHED = here('target/unfinished.json');
const USAGE = `node bench/run.mjs [--rounds 5] [--seconds 2] [--warm-up 0.5] [--idle 20] [--only NAME,...]
                   [--workload NAME,...] [--from FILE] [--out NAME]

subjects:  ${SUBJECTS.map(({ name }) => name).join(', ')}
workloads: ${WORKLOADS.map(({ name }) => name).join(', ')}
A name that ends early selects all that begin with it (--only ferrows). --idle is how many seconds connections are silent
before the memory that they take is looked at. --from makes the tables anew of a results.json,
and measures nothing. Results go to bench/results.md, .json and .svg when everything was measured, otherwise only to
--out, which names all three.
`;

/** The entries whose names begin with one of the wanted words; all but what is on demand when none is wanted. */
function select(entries, wanted, what) {
  if (wanted === undefined) return entries.filter(({ onDemand }) => !onDemand);
  const chosen = new Set();
  for (const word of wanted.toLowerCase().split(',')) {
    // The full name means that one alone: `ws` is not also `ws+bufferutil`.
    const exact = entries.filter(({ name }) => name.toLowerCase() === word);
    const begun = entries.filter(({ name }) => name.toLowerCase().startsWith(word));
    if (begun.length === 0) throw new Error(`there is no ${what} named ${word}`);
    for (const entry of exact.length ? exact : begun) chosen.add(entry);
  }
  return entries.filter((entry) => chosen.has(entry));
}

function positive(text, name) {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0`);
  return number;
}

function options() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      'warm-up': { type: 'string', default: '0.5' },
      idle: { type: 'string', default: '20' },
      only: { type: 'string' },
      workload: { type: 'string' },
      from: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean' }
    }
  });
  const everything = values.only === undefined && values.workload === undefined;
  return {
    help: values.help,
    from: values.from,
    settings: {
      rounds: Math.ceil(positive(values.rounds, 'rounds')),
      seconds: positive(values.seconds, 'seconds'),
      warmUp: positive(values['warm-up'], 'warm-up'),
      idle: positive(values.idle, 'idle')
    },
    subjects: select(SUBJECTS, values.only, 'subject'),
    workloads: select(WORKLOADS, values.workload, 'workload'),
    out: values.out?.replace(/\.(md|json|svg)$/, '') ?? (everything ? RESULTS : undefined)
  };
}

/** Date, command, machine and what is compared. */
function circumstances() {
  const output = (command, ...args) => {
    const { status, stdout } = spawnSync(command, args, { cwd: here('.'), encoding: 'utf8' });
    return status === 0 ? stdout.trim() : '';
  };
  const commit = output('git', 'rev-parse', '--short', 'HEAD');
  const changed =
    output('git', 'status', '--porcelain', '--untracked-files=no', '--', '..') && ' with changes';
  const cpus = os.cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    command: ['node bench/run.mjs', ...process.argv.slice(2)].join(' '),
    machine:
      `${cpus.length} x ${cpus[0]?.model.trim() ?? os.arch()}, ` +
      `${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}`,
    commit: `${commit || 'unknown'}${changed}`,
    versions: { node: `Node ${process.version}`, rustc: output('rustc', '--version') || 'no rustc' }
  };
}

/** Figures for a file: nobody reads a thousandth of a nanosecond. */
const rounded = (figures) =>
  Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [
      key,
      typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value
    ])
  );

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** Measures everything that was chosen and can be had. */
async function run({ settings, subjects, workloads }) {
  build();
  const programs = prepare([ECHO, ...subjects].map(({ program }) => program));
  const missing = Object.fromEntries(
    subjects.flatMap(({ name, program }) => {
      const why = programs.get(program).missing;
      return why ? [[name, why]] : [];
    })
  );
  for (const [name, why] of Object.entries(missing)) {
    process.stderr.write(`bench: ${name} is not measured: ${why}\n`);
  }
  const plan = workloads
    .map((workload) => ({
      workload,
      list: subjects.filter(({ name }) => workload.subjects.includes(name) && !(name in missing))
    }))
    .filter(({ list }) => list.length > 0);

  const record = { ...circumstances(), settings, missing, workloads: {} };
  for (const { workload, list } of plan) {
    record.workloads[workload.name] = Object.fromEntries(list.map(({ name }) => [name, []]));
  }
  mkdirSync(here('target'), { recursive: true });
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const { workload, list } of plan) {
      if (round >= workload.rounds) continue;
      // Each round begins with another subject, so that none is always first or always after the same one.
      const first = round % list.length;
      for (const subject of [...list.slice(first), ...list.slice(0, first)]) {
        process.stderr.write(
          `round ${round + 1}/${settings.rounds}  ${workload.name}  ${subject.name}\n`
        );
        const runs = record.workloads[workload.name][subject.name];
        try {
          const { version, ...figures } = await measure(subject, workload, settings, programs);
          record.versions[subject.name] = version;
          runs.push(rounded(figures));
        } catch (err) {
          process.stderr.write(`bench: ${err.message}\n`);
          process.exitCode = 1;
          runs.push({ error: err.message });
        }
      }
    }
    writeFileSync(UNFINISHED, json(record));
  }
  // One library is several subjects.
  record.versions = Object.fromEntries(
    Object.entries(record.versions).filter(
      ([, version], index, all) => all.findIndex(([, other]) => other === version) === index
    )
  );
  return record;
}

async function main() {
  const { help, from, out, ...chosen } = options();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const record = from ? JSON.parse(readFileSync(from, 'utf8')) : await run(chosen);
  process.stdout.write(`\n${tables(record)}`);
  if (out === undefined) return;
  writeFileSync(`${out}.json`, json(record));
  writeFileSync(`${out}.svg`, chart(record));
  writeFileSync(`${out}.md`, page(record, `${basename(out)}.svg`));
}

try {
  await main();
} catch (err) {
  process.stderr.write(`bench: ${err.message}\n`);
  process.exitCode = 1;
}
