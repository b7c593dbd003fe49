// From the rounds of one workload to a Markdown table: medians, best values and ratios. Pure: numbers in, text out.
import { BASELINE } from '../catalog.mjs';
import { median, ratio, values } from './statistics.mjs';

/** Columns: key of the measurement, heading, digits, and which end is the better one. */
const COLUMNS = [
  { key: 'cpu', title: 'CPU us/msg', digits: 2, best: Math.min },
  { key: 'javaScript', title: 'JS thread us/msg', digits: 2, best: Math.min },
  { key: 'p50', title: 'p50 us', digits: 0, best: Math.min },
  { key: 'p99', title: 'p99 us', digits: 0, best: Math.min },
  { key: 'rate', title: 'messages/s', digits: 0, best: Math.max },
  { key: 'rss', title: 'RSS MiB', digits: 0, best: Math.min, unit: 2 ** 20 }
];
const WIRE = { key: 'wire', title: 'wire B/msg', digits: 0, best: Math.min };
const GROWTH = { key: 'growth', title: 'KiB/connection', digits: 1, best: Math.min, unit: 2 ** 10 };
/** Beside hostile clients: what good ones waited before, and what became of the others. */
const DOOR = [
  { key: 'baselineP50', title: 'p50 without', digits: 0, best: Math.min },
  { key: 'baselineP99', title: 'p99 without', digits: 0, best: Math.min },
  { key: 'attacks', title: 'attacks', digits: 0, best: Math.max },
  { key: 'ended', title: 'ended by the server', digits: 0, best: Math.max }
];
const HELD = { key: 'connections', title: 'connections', digits: 0, best: Math.max };
const RATIOS = [
  { key: 'cpu', title: 'CPU' },
  { key: 'javaScript', title: 'JS thread' },
  { key: 'rate', title: 'messages' }
];
const BUSY = [
  { key: 'busy', title: 'busy' },
  { key: 'loadBusy', title: 'load busy' }
];
const RSS = COLUMNS.find(({ key }) => key === 'rss');

/** What the table of a workload has: figures, ratios and shares of a core. */
function layout({ kind, deflate }) {
  if (kind === 'memory')
    return { columns: [RSS], ratios: [{ key: 'rss', title: 'RSS' }], busy: [] };
  const wire = deflate ? [WIRE] : [];
  const wireRatio = deflate ? [{ key: 'wire', title: 'wire' }] : [];
  if (kind === 'idle') {
    return {
      columns: [GROWTH, RSS, ...wire],
      ratios: [{ key: 'growth', title: 'growth' }],
      busy: []
    };
  }
  if (kind === 'opening') {
    // Its messages are connections.
    const title = (text) => text.replace('/msg', '/connection').replace('messages', 'connections');
    return {
      columns: COLUMNS.map((column) => ({ ...column, title: title(column.title) })),
      ratios: RATIOS.map((one) => ({ ...one, title: title(one.title) })),
      busy: BUSY
    };
  }
  if (kind === 'held') {
    return {
      columns: [HELD, GROWTH, ...COLUMNS],
      ratios: [{ key: 'growth', title: 'growth' }, ...RATIOS],
      busy: BUSY
    };
  }
  if (kind === 'flood') {
    const columns = COLUMNS.filter(({ key }) => ['p50', 'p99', 'rss'].includes(key));
    return {
      columns: [...columns, ...DOOR],
      ratios: [{ key: 'p99', title: 'p99' }],
      busy: BUSY
    };
  }
  return { columns: [...COLUMNS, ...wire], ratios: [...RATIOS, ...wireRatio], busy: BUSY };
}

const NOTHING = '-';
const percent = (runs, key) => {
  const share = median(values(runs, key));
  return Number.isNaN(share) ? NOTHING : `${Math.round(share * 100)} %`;
};

/** What a server has answered to the offer of compression: the same in every round, or else all of it. */
function negotiated(runs) {
  const answers = new Set(runs.flatMap((run) => run.negotiated ?? []));
  return [...answers].map((answer) => answer || 'no parameters').join(' / ') || NOTHING;
}

function cell(runs, { key, digits, best, unit = 1 }) {
  const known = values(runs, key);
  if (known.length === 0) return NOTHING;
  const text = (value) => (value / unit).toFixed(digits);
  return `${text(median(known))} (${text(best(...known))})`;
}

/** A ratio as text. */
export const times = (value) => (Number.isFinite(value) ? `${value.toFixed(2)}x` : NOTHING);

/** Lays out rows of text as a Markdown table that is also readable as it stands; the columns after `left` to the right. */
export function markdown(rows, left = 1) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((text, i) => (i < left ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    i < left ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`
  );
  return [line(rows[0]), `|${rule.join('|')}|`, ...rows.slice(1).map(line)].join('\n');
}

/**
 * The table of one workload.
 *
 * @param {object} workload of the catalog
 * @param {Record<string, object[]>} bySubject measurements, one a round
 */
export function workloadTable(workload, bySubject) {
  const base = bySubject[BASELINE];
  const { columns, ratios, busy } = layout(workload);
  const heading = [
    workload.kind === 'client' ? 'client' : 'server',
    ...columns.map(({ title }) => title),
    ...ratios.map(({ title }) => `${title} / ${BASELINE}`),
    ...busy.map(({ title }) => title),
    ...(workload.deflate ? ['agreed upon'] : [])
  ];
  const rows = Object.entries(bySubject).map(([name, runs]) => [
    name,
    ...columns.map((column) => cell(runs, column)),
    ...ratios.map(({ key }) => times(ratio(runs, base, key))),
    ...busy.map(({ key }) => percent(runs, key)),
    ...(workload.deflate ? [negotiated(runs)] : [])
  ]);
  return markdown([heading, ...rows]);
}

/**
 * The table of the workloads that differ in the number of connections only: CPU a message.
 *
 * @param {object[]} list workloads of the catalog, by connections
 * @param {Record<string, Record<string, object[]>>} workloads measurements by workload and subject
 */
export function growthTable(list, workloads) {
  const many = workloads[list.at(-1).name];
  const hundred = workloads[list.find(({ connections }) => connections === 100)?.name];
  const cpu = COLUMNS.find(({ key }) => key === 'cpu');
  const rows = Object.entries(many).map(([name, runs]) => [
    name,
    ...list.map((workload) => cell(workloads[workload.name]?.[name] ?? [], cpu)),
    times(ratio(runs, hundred?.[name], 'cpu'))
  ]);
  const counts = list.map(({ connections }) => connections.toLocaleString('en'));
  return markdown([['server', ...counts, `${counts.at(-1)} / 100`], ...rows]);
}
