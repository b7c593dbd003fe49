// results.md: the bars, where ferrows is not first, and a table a workload. Pure: the recorded run in, text out.
import { WORKLOADS } from '../catalog.mjs';
import { evaluate } from './evaluate.mjs';
import { least, median, ratio, values } from './statistics.mjs';
import { growthTable, markdown, times, workloadTable } from './tables.mjs';

const SUBJECT = 'ferrows/auto';
/** Pinned transports are the same library, and the limit is none. */
const isRival = (name) => !name.startsWith('ferrows/') && name !== 'raw epoll';
const VERDICTS = new Map([
  [true, 'met'],
  [false, '**not met**'],
  [undefined, 'not measured']
]);
const UNITS = new Map([
  ['cpu', ['CPU', 'us a message', 1]],
  ['p50', ['p50 round trip', 'us', 1]],
  ['p99', ['p99 round trip', 'us', 1]],
  ['rss', ['resident memory', 'MiB', 2 ** 20]],
  ['growth', ['resident memory', 'KiB a connection', 2 ** 10]]
]);
/** What is compared of the kinds of workload that are not about CPU time a message; and what its message is. */
const COMPARED = { memory: 'rss', idle: 'growth', held: 'growth', flood: 'p99' };
const MESSAGES = { opening: 'us a connection' };

const bytes = (size) => {
  if (size >= 2 ** 20) return `${size / 2 ** 20} MiB`;
  return size >= 2 ** 10 ? `${size / 2 ** 10} KiB` : `${size}-byte`;
};

const CONTENT = { takeover: 'compressed JSON', 'no-takeover': 'JSON compressed without takeover' };

/** A workload in words. */
function describe({ rounds, ...workload }) {
  return `${load(workload)}${rounds ? `, at most ${rounds} round${rounds === 1 ? '' : 's'}` : ''}`;
}

function load({
  kind,
  size,
  binary,
  deflate,
  connections,
  inFlight,
  exchanges,
  tls,
  broadcast,
  loads,
  talking,
  every,
  attacks
}) {
  if (kind === 'memory') return `RSS of one server after ${loads.length} echo loads, at rest`;
  const message = `${bytes(size)} ${CONTENT[deflate] ?? (binary ? 'binary' : 'text')}`;
  const many = connections.toLocaleString('en');
  if (kind === 'opening') {
    const between = exchanges ? `, with ${exchanges} echo of ${message} in between` : '';
    return `connections opened and closed${between}, ${many} at a time, figures a connection`;
  }
  if (kind === 'idle') {
    const echoes = exchanges === 1 ? 'an echo' : `${exchanges} echoes`;
    return `RSS that ${many} silent connections add after ${echoes} of ${message}`;
  }
  if (kind === 'held') {
    return `${many} connections held, or as many as descriptors allow, ${talking * 100} % with a ${message} echo each under way`;
  }
  if (kind === 'flood') {
    return `${message} echo, ${many} connections, one each ${every} ms, beside ${attacks.toLocaleString('en')} attacks a second`;
  }
  if (broadcast) return `${message} broadcast to ${connections} connections, figures a delivery`;
  const count = `${connections} connection${connections === 1 ? '' : 's'}`;
  const who = kind === 'client' ? ' as the client' : '';
  return `${message} echo${who}${tls ? ' over TLS' : ''}, ${count}, ${inFlight} in flight`;
}

/** Bytes that a bar is about, as text. */
const wholeBytes = (value) =>
  Number.isFinite(value) ? `${Math.round(value).toLocaleString('en')} B` : '-';

/** Whose figure a bar is a ratio to. */
function comparedWith(bar, other, of) {
  if (bar.most !== undefined) return 'itself';
  if (bar.against) return '100 connections';
  if (bar.than) return 'without them';
  return `${other}${of && of !== other ? ` (${of})` : ''}`;
}

/** How many bars are met, and all of them in a table. */
function bars(workloads) {
  const verdicts = evaluate(workloads);
  const count = (met) => verdicts.filter((verdict) => verdict.met === met).length;
  const rows = verdicts.map(({ bar, other, of, limit, measured, least: low, met }) => [
    bar.work,
    bar.what,
    comparedWith(bar, other, of),
    ...[limit, measured, low].map(bar.most === undefined ? times : wholeBytes),
    VERDICTS.get(met)
  ]);
  const heading = [
    'work',
    'figure',
    'to that of',
    'at most',
    'measured',
    'of the least',
    'verdict'
  ];
  const sum = `${count(true)} met, ${count(false)} not met, ${count(undefined)} not measured.`;
  return `${sum}\n\n${markdown([heading, ...rows], 3)}`;
}

/** For each workload the rivals that are cheaper, in a sentence. */
function notFirst(workloads) {
  const lines = [];
  let compared = 0;
  for (const { name, connections, kind } of WORKLOADS) {
    const bySubject = workloads[name];
    const key = COMPARED[kind] ?? (connections === 1 ? 'p50' : 'cpu');
    const rivals = Object.keys(bySubject ?? {}).filter(isRival);
    const first = least(bySubject, rivals, key);
    const own = values(bySubject?.[SUBJECT], key);
    if (first === undefined || own.length === 0) continue;
    compared += 1;
    const [what, usual, size] = UNITS.get(key);
    const unit = MESSAGES[kind] ?? usual;
    const figure = (list) => (median(list) / size).toPrecision(3);
    const share = ratio(bySubject[SUBJECT], bySubject[first], key);
    if (share <= 1) continue;
    lines.push(
      `* ${name}, ${what}: ${first} is first with ${figure(values(bySubject[first], key))} ${unit}; ` +
        `ferrows has ${figure(own)}, ${times(share)} of that`
    );
  }
  if (compared === 0) return 'Not known: this run did not measure ferrows beside a peer.';
  return lines.length ? lines.join('\n') : 'Nowhere among the workloads of this run.';
}

/** What was not measured, and why. */
function gaps({ missing, workloads }) {
  const lines = Object.entries(missing).map(([name, why]) => `* ${name} was not measured: ${why}`);
  for (const [workload, bySubject] of Object.entries(workloads)) {
    for (const [name, runs] of Object.entries(bySubject)) {
      const errors = runs.flatMap(({ error }) => error ?? []);
      if (errors.length === 0) continue;
      lines.push(
        `* ${workload}, ${name}: ${errors.length} of ${runs.length} rounds failed: ${errors[0]}`
      );
    }
  }
  return lines;
}

/** The head of the page: what a reader must know to compare. */
function circumstances({ date, command, machine, versions, commit, settings, missing, workloads }) {
  const { rounds, seconds, warmUp, idle } = settings;
  const silent = WORKLOADS.some(({ name, kind }) => kind === 'idle' && workloads[name]);
  return [
    `* date: ${date}`,
    `* command: \`${command}\``,
    `* machine: ${machine}`,
    `* versions: ${Object.values(versions).join(', ')}`,
    `* commit: ${commit}`,
    `* figures: median (best) over ${rounds} interleaved rounds of ${seconds} s after ${warmUp} s of warm-up`,
    ...(silent ? [`* connections were silent for ${idle} s before their memory was read`] : []),
    ...gaps({ missing, workloads })
  ].join('\n');
}

/** A table a workload that was measured, each under its heading. */
function workloadTables(workloads) {
  const known = WORKLOADS.filter(({ name }) => workloads[name]);
  const parts = known.map((workload) => [
    `## ${workload.name}: ${describe(workload)}`,
    workloadTable(workload, workloads[workload.name])
  ]);
  const counts = known
    .filter(({ name }) => name === 'echo-64-1' || name.startsWith('growth-'))
    .toSorted((a, b) => a.connections - b.connections);
  if (counts.length > 1) {
    parts.push([
      '## growth: CPU us/msg of the 64-byte echo, by connections',
      growthTable(counts, workloads)
    ]);
  }
  return parts.flat();
}

const heads = (workloads) => [
  ['## The bars', bars(workloads)],
  ['## Where ferrows is not first', notFirst(workloads)]
];

const text = (parts) => `${parts.flat().join('\n\n')}\n`;

/** All tables, for the terminal. */
export const tables = ({ workloads }) => text([...heads(workloads), ...workloadTables(workloads)]);

/**
 * The whole page.
 *
 * @param {object} run as run.mjs records it
 * @param {string} image name of the chart beside it
 */
export function page(run, image) {
  const intro =
    'Written by `bench/run.mjs`; README.md beside it says how to read it. "Measured" is the median of the ratios ' +
    'within each round and judges; "of the least" is the ratio of the least figures.';
  const [first, ...others] = heads(run.workloads);
  return text([
    ['# Benchmark results', intro],
    first,
    `![CPU time a message](${image})`,
    ...others,
    ['## The run', circumstances(run)],
    ...workloadTables(run.workloads)
  ]);
}
