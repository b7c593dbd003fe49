// The format of results.json: runs, oldest first, each with its conditions and one record per workload and subject. A workload is
// reported from the last run that measured it. Pure functions.

/** Figures kept of a measurement: those that the tables show. */
const FIGURES = [
  'cpu',
  'javaScript',
  'p50',
  'p99',
  'rate',
  'rss',
  'growth',
  'wire',
  'busy',
  'loadBusy',
  'connections',
  'baselineP50',
  'baselineP99',
  'attacks',
  'ended'
];

const rounded = (value) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null);

/**
 * The record of one subject under one workload.
 *
 * @param {object[]} rounds measurements, or `{ error }`
 */
export function toRecord(rounds) {
  const record = {};
  for (const key of FIGURES) {
    if (rounds.some((round) => Number.isFinite(round[key]))) {
      record[key] = rounds.map((round) => rounded(round[key]));
    }
  }
  const negotiated = new Set(rounds.flatMap((round) => round.negotiated ?? []));
  if (negotiated.size > 0) record.negotiated = [...negotiated];
  const errors = rounds.flatMap(({ error }) => error ?? []);
  if (errors.length > 0) record.errors = errors;
  return record;
}

/** Adds a run. Workloads that it measured are dropped from older runs, and runs without any left with them. */
export function addRun({ runs, ...others }, run) {
  const older = runs.map((one) => ({
    ...one,
    workloads: Object.fromEntries(
      Object.entries(one.workloads).filter(([name]) => !(name in run.workloads))
    )
  }));
  return {
    runs: [...older.filter(({ workloads }) => Object.keys(workloads).length > 0), run],
    ...others
  };
}

/** The records of all workloads: `{ [workload]: { [subject]: record } }`. */
export const allWorkloads = ({ runs }) =>
  Object.assign({}, ...runs.map(({ workloads }) => workloads));

/** The run that a workload is reported from. */
export const runOf = ({ runs }, workload) =>
  runs.findLast(({ workloads }) => workload in workloads);

/** Marks a string that is JSON already. */
const MARK = '\u0001';

const isFlat = (value) =>
  Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);

/** True for flat arrays and for records, which have nothing but scalars and flat arrays. */
function isLine(value) {
  if (typeof value !== 'object' || value === null || isFlat(value)) return isFlat(value);
  const parts = Object.values(value);
  return parts.some(isFlat) && parts.every((one) => typeof one !== 'object' || isFlat(one));
}

/** JSON with one line per record. */
export function toText(results) {
  const marked = JSON.stringify(
    results,
    (_, value) => (isLine(value) ? MARK + JSON.stringify(value) : value),
    2
  );
  return `${marked.replace(/"\\u0001(?:[^"\\]|\\.)*"/g, (text) => JSON.parse(text).slice(1))}\n`;
}
