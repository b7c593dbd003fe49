// The benchmark: `node bench/run.mjs` (or `npm run bench`). Builds the load generator, measures every server under
// every workload in interleaved rounds, prints a table a workload and writes results.md. README.md tells the method.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { BASELINE, SERVERS, WORKLOADS } from './catalog.mjs';
import { buildGenerator, measure } from './measure.mjs';
import { table } from './table.mjs';

const RESULTS = fileURLToPath(new URL('results.md', import.meta.url));
const USAGE = `node bench/run.mjs [--rounds 5] [--seconds 5] [--warm-up 1] [--only NAME,...] [--workload NAME,...] [--out FILE]

servers:   ${SERVERS.map(({ name }) => name).join(', ')}
workloads: ${WORKLOADS.map(({ name }) => name).join(', ')}
A name that ends early selects all that begin with it (--only ferrows). Results go to bench/results.md
when everything was measured, otherwise only to --out.
`;

/** The entries whose names begin with one of the wanted words; all when none is wanted. */
function select(entries, wanted, what) {
  if (wanted === undefined) return entries;
  const chosen = new Set();
  for (const word of wanted.split(',')) {
    // The full name means that one alone: `ws` is not also `ws+bufferutil`.
    const exact = entries.filter(({ name }) => name === word);
    const matches = exact.length ? exact : entries.filter(({ name }) => name.startsWith(word));
    if (matches.length === 0) throw new Error(`there is no ${what} named ${word}`);
    for (const entry of matches) chosen.add(entry);
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
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '1' },
      only: { type: 'string' },
      workload: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean' }
    }
  });
  const everything = values.only === undefined && values.workload === undefined;
  return {
    help: values.help,
    rounds: Math.ceil(positive(values.rounds, 'rounds')),
    times: {
      seconds: positive(values.seconds, 'seconds'),
      warmUp: positive(values['warm-up'], 'warm-up')
    },
    servers: select(SERVERS, values.only, 'server'),
    workloads: select(WORKLOADS, values.workload, 'workload'),
    out: values.out ?? (everything ? RESULTS : undefined)
  };
}

/** What a reader must know to compare: date, command, machine and versions. */
function circumstances(versions) {
  const output = (command, ...args) => {
    const { status, stdout } = spawnSync(command, args, {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      encoding: 'utf8'
    });
    return status === 0 ? stdout.trim() : '';
  };
  const commit = output('git', 'rev-parse', '--short', 'HEAD');
  const changed =
    output('git', 'status', '--porcelain', '--untracked-files=no', '--', '..') && ' with changes';
  const cpus = os.cpus();
  return [
    `* date: ${new Date().toISOString().slice(0, 10)}`,
    `* command: \`${['node bench/run.mjs', ...process.argv.slice(2)].join(' ')}\``,
    `* machine: ${cpus.length} x ${cpus[0]?.model.trim() ?? os.arch()}, ` +
      `${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}`,
    `* versions: Node ${process.version}, ${[...versions].join(', ')}, ${output('rustc', '--version') || 'no rustc'}`,
    `* commit: ${commit || 'unknown'}${changed}`
  ].join('\n');
}

async function main() {
  const { help, rounds, times, servers, workloads, out } = options();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  buildGenerator();

  const results = new Map(
    workloads.map(({ name }) => [name, new Map(servers.map((s) => [s.name, []]))])
  );
  const versions = new Set();
  for (let round = 0; round < rounds; round += 1) {
    // Each round begins with another server, so that none is always first or always after the same one.
    const first = round % servers.length;
    const order = [...servers.slice(first), ...servers.slice(0, first)];
    for (const workload of workloads) {
      for (const server of order) {
        process.stderr.write(`round ${round + 1}/${rounds}  ${workload.name}  ${server.name}\n`);
        const run = await measure(server, workload, times);
        versions.add(run.version);
        results.get(workload.name).get(server.name).push(run);
      }
    }
  }

  const tables = workloads.map(({ name, size, binary, connections, inFlight }) => {
    const load = `${size}-byte ${binary ? 'binary' : 'text'} echo, ${connections} connections, ${inFlight} in flight`;
    return `## ${name}: ${load}\n\n${table(results.get(name), BASELINE)}\n`;
  });
  process.stdout.write(`\n${tables.join('\n')}`);
  if (out !== undefined) {
    const intro =
      '# Benchmark results\n\nWritten by `bench/run.mjs`; README.md beside it says how to read them.\n';
    const rest = `median (best) over ${rounds} rounds of ${times.seconds} s`;
    writeFileSync(
      out,
      `${intro}\n${circumstances(versions)}\n* figures: ${rest}\n\n${tables.join('\n')}`
    );
  }
}

try {
  await main();
} catch (err) {
  process.stderr.write(`bench: ${err.message}\n`);
  process.exitCode = 1;
}
