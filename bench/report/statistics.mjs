// Figures over the rounds of a run. Pure: used by the files beside it. A round that failed has no figures and counts
// nowhere; rounds keep their places, so that a ratio is always taken within one.

/** The middle value; of an even number, the mean of the middle two; NaN of none. */
export function median(values) {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What the rounds have measured under a key. */
export const values = (runs, key) =>
  (runs ?? []).map((run) => run[key]).filter((value) => Number.isFinite(value));

/**
 * The median of the ratios within each round: the machine's mood cancels out. NaN when no round has both. `otherKey` is
 * the others' figure, where that is another one.
 */
export function ratio(runs, others, key, otherKey = key) {
  if (!runs || !others) return Number.NaN;
  const each = runs.map((run, round) => run[key] / others[round]?.[otherKey]);
  return median(each.filter((value) => Number.isFinite(value)));
}

/** The ratio of the least figures: noise only adds. */
export const ratioOfLeast = (runs, others, key, otherKey = key) =>
  Math.min(...values(runs, key)) / Math.min(...values(others, otherKey));

/** The subject among several whose median is the least; undefined when none was measured. */
export function least(bySubject, names, key) {
  const known = names.filter((name) => values(bySubject?.[name], key).length > 0);
  return known.toSorted(
    (a, b) => median(values(bySubject[a], key)) - median(values(bySubject[b], key))
  )[0];
}
