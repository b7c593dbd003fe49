// The benchmark: `node bench/run.mjs` (or `npm run bench`). Builds the programs, measures every subject under every workload in
// interleaved rounds, prints the tables, and writes results.json and the files generated from it. README.md describes the method.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { ECHO, SUBJECTS, WORKLOADS } from './catalog.mjs';
import { measure } from './measure.mjs';
import { build, prepare } from './programs.mjs';
import { chart } from './report/chart.mjs';
import { performancePage, tables, withHeadline } from './report/page.mjs';
import { addRun, toRecord, toText } from './report/results.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here('results.json');
/** The rounds measured so far, in case a run is interrupted. */
const UNFINISHED = here('target/unfinished.json');
const USAGE = `node bench/run.mjs [--rounds 5] [--seconds 2] [--warm-up 0.5] [--idle 20] [--only NAME,...]
                   [--workload NAME,...] [--update] [--from FILE] [--out NAME]

subjects:  ${SUBJECTS.map(({ name }) => name).join(', ')}
workloads: ${WORKLOADS.map(({ name }) => name).join(', ')}
A prefix selects all names that begin with it (--only ferrows). --idle: seconds of silence before the memory of idle connections
is read. A run of everything, or a partial one with --update, replaces the workloads that it measured in bench/results.json and
generates bench/results.svg, doc/performance.md and the figures in README.md. --from prints and generates from a
results.json without measuring. --out NAME writes NAME.json, .svg and .md instead.
`;

/** The entries selected by a list of names or prefixes; without one, all that are not on demand. */
function select(entries, wanted, kind) {
  if (wanted === undefined) return entries.filter(({ onDemand }) => !onDemand);
  const chosen = new Set();
  for (const word of wanted.toLowerCase().split(',')) {
    // A full name selects only that entry: `ws` does not include `ws+bufferutil`.
    const exact = entries.filter(({ name }) => name.toLowerCase() === word);
    const begun = entries.filter(({ name }) => name.toLowerCase().startsWith(word));
    if (begun.length === 0) throw new Error(`no ${kind} is named ${word}`);
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
      update: { type: 'boolean', default: false },
      from: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean' }
    }
  });
  const everything = values.only === undefined && values.workload === undefined;
  return {
    help: values.help,
    from: values.from,
    update: values.update,
    everything,
    settings: {
      rounds: Math.ceil(positive(values.rounds, 'rounds')),
      seconds: positive(values.seconds, 'seconds'),
      warmUp: positive(values['warm-up'], 'warm-up'),
      idle: positive(values.idle, 'idle')
    },
    subjects: select(SUBJECTS, values.only, 'subject'),
    workloads: select(WORKLOADS, values.workload, 'workload'),
    out: values.out?.replace(/\.(md|json|svg)$/, '')
  };
}

/** Date, command, machine and versions. */
function conditions() {
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

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** Measures the selected workloads with all subjects that are available. */
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

  const record = { ...conditions(), settings, missing, workloads: {} };
  for (const { workload, list } of plan) {
    record.workloads[workload.name] = Object.fromEntries(list.map(({ name }) => [name, []]));
  }
  mkdirSync(here('target'), { recursive: true });
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const { workload, list } of plan) {
      if (round >= workload.rounds) continue;
      // Each round begins with another subject, so that none is always first.
      const first = round % list.length;
      for (const subject of [...list.slice(first), ...list.slice(0, first)]) {
        process.stderr.write(
          `round ${round + 1}/${settings.rounds}  ${workload.name}  ${subject.name}\n`
        );
        const runs = record.workloads[workload.name][subject.name];
        try {
          const { version, ...figures } = await measure(subject, workload, settings, programs);
          record.versions[subject.name] = version;
          runs.push(figures);
        } catch (err) {
          process.stderr.write(`bench: ${err.message}\n`);
          process.exitCode = 1;
          runs.push({ error: err.message });
        }
      }
    }
    writeFileSync(UNFINISHED, json(record));
  }
  // Several subjects share a library.
  record.versions = Object.fromEntries(
    Object.entries(record.versions).filter(
      ([, version], index, all) => all.findIndex(([, other]) => other === version) === index
    )
  );
  record.workloads = Object.fromEntries(
    Object.entries(record.workloads).map(([name, bySubject]) => [
      name,
      Object.fromEntries(
        Object.entries(bySubject).map(([subject, rounds]) => [subject, toRecord(rounds)])
      )
    ])
  );
  return record;
}

/** Writes results.json and everything that is generated from it. */
function publish(results) {
  writeFileSync(RESULTS, toText(results));
  writeFileSync(here('results.svg'), chart(results));
  writeFileSync(here('../doc/performance.md'), performancePage(results));
  const readme = here('../README.md');
  writeFileSync(readme, withHeadline(readFileSync(readme, 'utf8'), results));
}

async function main() {
  const { help, from, update, everything, out, ...selected } = options();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const recorded = () => JSON.parse(readFileSync(from ?? RESULTS, 'utf8'));
  let results;
  if (from) results = recorded();
  else {
    const measured = await run(selected);
    results = update || everything ? addRun(recorded(), measured) : { runs: [measured] };
  }
  process.stdout.write(`\n${tables(results)}`);
  if (out !== undefined) {
    writeFileSync(`${out}.json`, toText(results));
    writeFileSync(`${out}.svg`, chart(results));
    writeFileSync(`${out}.md`, performancePage(results));
  } else if (from || update || everything) {
    publish(results);
  }
}

try {
  await main();
} catch (err) {
  process.stderr.write(`bench: ${err.message}\n`);
  process.exitCode = 1;
}
