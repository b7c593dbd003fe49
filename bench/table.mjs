// From the rounds of one workload to a table: medians, best values and ratios. Pure: numbers in, text out.

/** Columns: key of the measurement, heading, digits, and which end is the better one. */
const COLUMNS = [
  { key: 'rate', title: 'messages/s', digits: 0, best: Math.max },
  { key: 'cpu', title: 'CPU us/msg', digits: 2, best: Math.min },
  { key: 'javaScript', title: 'JS thread us/msg', digits: 2, best: Math.min },
  { key: 'p50', title: 'p50 us', digits: 0, best: Math.min },
  { key: 'p99', title: 'p99 us', digits: 0, best: Math.min }
];
const RATIOS = ['rate', 'cpu', 'javaScript'];

/** The middle value; of an even number, the mean of the middle two. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const values = (runs, key) => runs.map((run) => run[key]).filter((value) => value !== null);
const percent = (runs, key) => {
  const known = values(runs, key);
  return known.length ? `${Math.round(median(known) * 100)} %` : '-';
};

function cell(runs, { key, digits, best }) {
  const known = values(runs, key);
  if (known.length === 0) return '-';
  const text = (value) => value.toFixed(digits);
  return `${text(median(known))} (${text(best(...known))})`;
}

/** Median over the rounds of the ratio within a round: the machine's mood cancels out. */
function ratio(runs, baseline, key) {
  if (baseline === undefined) return '-';
  const each = runs.map((run, round) => run[key] / baseline[round][key]).filter(Number.isFinite);
  return each.length ? `${median(each).toFixed(2)}x` : '-';
}

/** Lays out rows of text as a Markdown table that is also readable as it stands. */
export function markdown(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((text, i) => (i ? text.padStart(widths[i]) : text.padEnd(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}

/**
 * The table of one workload.
 *
 * @param {Map<string, object[]>} results measurements by server name, one a round
 * @param {string} baseline name of the server that ratios are taken to; may be missing from the results
 */
export function table(results, baseline) {
  const base = results.get(baseline);
  const heading = [
    'server',
    ...COLUMNS.map(({ title }) => title),
    ...RATIOS.map(
      (key) =>
        `${COLUMNS.find((column) => column.key === key).title.split(/[ /]/)[0]} / ${baseline}`
    ),
    'server busy',
    'load busy',
    'RSS MiB'
  ];
  const rows = [...results].map(([name, runs]) => [
    name,
    ...COLUMNS.map((column) => cell(runs, column)),
    ...RATIOS.map((key) => ratio(runs, base, key)),
    percent(runs, 'serverBusy'),
    percent(runs, 'loadBusy'),
    (median(values(runs, 'rss')) / 2 ** 20).toFixed(0)
  ]);
  return markdown([heading, ...rows]);
}
