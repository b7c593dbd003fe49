// Statistics over the rounds of a run. Pure functions.
//
// A record holds the figures of one subject under one workload: an array per figure, with one value per round, null where the
// round failed. Rounds keep their index, so that a ratio compares two measurements of the same round. A record with
// `summary: true` has [median, best] instead, from a run of which only these were kept.

/** The median; NaN for an empty list. */
export function median(list) {
  if (list.length === 0) return Number.NaN;
  const sorted = list.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The values of a figure over the rounds that succeeded; only the median of a summary. */
export function values(record, key) {
  const figures = record?.[key] ?? [];
  return (record?.summary ? figures.slice(0, 1) : figures).filter((value) =>
    Number.isFinite(value)
  );
}

/** The best value of a figure: `Math.min` or `Math.max` of its rounds. */
export const best = (record, key, pick) =>
  record?.summary ? (record[key]?.[1] ?? Number.NaN) : pick(...values(record, key));

/**
 * The median of the ratios within each round, which cancels variations of the machine between rounds. The ratio of the medians if
 * one of the records is a summary. NaN if no round has both figures. `otherKey` defaults to `key`.
 */
export function ratio(record, other, key, otherKey = key) {
  if (!record || !other) return Number.NaN;
  if (record.summary || other.summary) {
    return median(values(record, key)) / median(values(other, otherKey));
  }
  const each = (record[key] ?? []).map((value, round) =>
    value === null ? Number.NaN : value / (other[otherKey]?.[round] ?? Number.NaN)
  );
  return median(each.filter((value) => Number.isFinite(value)));
}

/** The ratio of the lowest values: noise only adds. */
export const ratioOfLeast = (record, other, key, otherKey = key) =>
  best(record, key, Math.min) / best(other, otherKey, Math.min);

/** The subject with the lowest median among `names`; undefined if none was measured. */
export function least(bySubject, names, key) {
  const known = names.filter((name) => values(bySubject?.[name], key).length > 0);
  return known.toSorted(
    (a, b) => median(values(bySubject[a], key)) - median(values(bySubject[b], key))
  )[0];
}
