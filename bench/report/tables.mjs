// Markdown tables of the workloads: medians, best values and ratios. Pure functions.
import { BASELINE } from '../catalog.mjs';
import { best, median, ratio, values } from './statistics.mjs';

/** Columns: key of the figure, heading, digits, and the function that selects the best value. */
const COLUMNS = [
  { key: 'cpu', title: 'CPU us/msg', digits: 2, pick: Math.min },
  { key: 'javaScript', title: 'JS thread us/msg', digits: 2, pick: Math.min },
  { key: 'p50', title: 'p50 us', digits: 0, pick: Math.min },
  { key: 'p99', title: 'p99 us', digits: 0, pick: Math.min },
  { key: 'rate', title: 'messages/s', digits: 0, pick: Math.max },
  { key: 'rss', title: 'RSS MiB', digits: 0, pick: Math.min, unit: 2 ** 20 }
];
const WIRE = { key: 'wire', title: 'wire B/msg', digits: 0, pick: Math.min };
const GROWTH = { key: 'growth', title: 'KiB/connection', digits: 1, pick: Math.min, unit: 2 ** 10 };
/** Latency of the well-behaved clients before the attack, and the outcome of the attacks. */
const FLOOD = [
  { key: 'baselineP50', title: 'p50 before', digits: 0, pick: Math.min },
  { key: 'baselineP99', title: 'p99 before', digits: 0, pick: Math.min },
  { key: 'attacks', title: 'attacks', digits: 0, pick: Math.max },
  { key: 'ended', title: 'ended by the server', digits: 0, pick: Math.max }
];
const HELD = { key: 'connections', title: 'connections', digits: 0, pick: Math.max };
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

/** Columns of a workload's table: figures, ratios and shares of a core. */
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
  if (kind === 'opening' || kind === 'client-opening') {
    // Counts connections in place of messages.
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
      columns: [...columns, ...FLOOD],
      ratios: [{ key: 'p99', title: 'p99' }],
      busy: BUSY
    };
  }
  return { columns: [...COLUMNS, ...wire], ratios: [...RATIOS, ...wireRatio], busy: BUSY };
}

const NOTHING = '-';
const percent = (record, key) => {
  const share = median(values(record, key));
  return Number.isNaN(share) ? NOTHING : `${Math.round(share * 100)} %`;
};

/** The distinct answers of a server to the offer of compression. */
const negotiated = (record) =>
  (record.negotiated ?? []).map((answer) => answer || 'no parameters').join(' / ') || NOTHING;

function cell(record, { key, digits, pick, unit = 1 }) {
  const known = values(record, key);
  if (known.length === 0) return NOTHING;
  const text = (value) => (value / unit).toFixed(digits);
  return `${text(median(known))} (${text(best(record, key, pick))})`;
}

/** Formats a ratio. */
export const times = (value) => (Number.isFinite(value) ? `${value.toFixed(2)}x` : NOTHING);

/** Formats rows as an aligned Markdown table. Columns from index `left` on are right-aligned. */
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
 * @param {Record<string, object>} bySubject records by subject
 */
export function workloadTable(workload, bySubject) {
  const base = bySubject[BASELINE];
  const { columns: all, ratios: allRatios, busy: allBusy } = layout(workload);
  const isKnown = ({ key }) =>
    Object.values(bySubject).some((record) => values(record, key).length > 0);
  const [columns, ratios, busy] = [all, allRatios, allBusy].map((list) => list.filter(isKnown));
  const heading = [
    workload.kind === 'client' ? 'client' : 'server',
    ...columns.map(({ title }) => title),
    ...ratios.map(({ title }) => `${title} / ${BASELINE}`),
    ...busy.map(({ title }) => title),
    ...(workload.deflate ? ['negotiated'] : [])
  ];
  const rows = Object.entries(bySubject).map(([name, record]) => [
    name,
    ...columns.map((column) => cell(record, column)),
    ...ratios.map(({ key }) => times(ratio(record, base, key))),
    ...busy.map(({ key }) => percent(record, key)),
    ...(workload.deflate ? [negotiated(record)] : [])
  ]);
  return markdown([heading, ...rows]);
}

/**
 * CPU time per message of the workloads that differ only in the number of connections.
 *
 * @param {object[]} list workloads of the catalog, by connections
 * @param {Record<string, Record<string, object>>} workloads records by workload and subject
 */
export function growthTable(list, workloads) {
  const many = workloads[list.at(-1).name];
  const hundred = workloads[list.find(({ connections }) => connections === 100)?.name];
  const cpu = COLUMNS.find(({ key }) => key === 'cpu');
  const rows = Object.entries(many).map(([name, record]) => [
    name,
    ...list.map((workload) => cell(workloads[workload.name]?.[name], cpu)),
    times(ratio(record, hundred?.[name], 'cpu'))
  ]);
  const counts = list.map(({ connections }) => connections.toLocaleString('en'));
  return markdown([['server', ...counts, `${counts.at(-1)} / 100`], ...rows]);
}
