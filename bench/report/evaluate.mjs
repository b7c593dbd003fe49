// The bars against the results: met or not. Pure: results in, verdicts out; report/page.mjs writes them down.
import { TARGETS, GROUPS } from '../targets.mjs';
import { least, median, ratio, ratioOfLeast, values } from './statistics.mjs';

/** @returns {boolean | undefined} undefined when it was not measured */
const isMet = (measured, limit) => (Number.isFinite(measured) ? measured <= limit : undefined);

/** A bar on the figure itself. */
function judgeFigure(bar, own) {
  const known = values(own?.[bar.subject], bar.measure);
  const measured = median(known);
  const met = isMet(measured, bar.most);
  return { bar, limit: bar.most, measured, least: Math.min(...known), met };
}

/**
 * Every limit of every bar.
 *
 * @param {Record<string, Record<string, object[]>>} workloads measurements by workload and subject, one a round
 * @returns {{ bar: object, other?: string, of?: string, limit: number, measured: number, least: number,
 *   met: boolean | undefined }[]} `other` as the bar says it and `of` the subject taken for it; the ratio that judges
 *   and that of the least figures, or where the bar has `most` the figures themselves; `met` is undefined when one of
 *   them was not measured
 */
export function evaluate(workloads) {
  return TARGETS.flatMap((bar) => {
    const own = workloads[bar.workload];
    if (bar.most !== undefined) return judgeFigure(bar, own);
    const others = workloads[bar.against ?? bar.workload];
    return Object.entries(bar.limits).map(([other, limit]) => {
      const of = least(others, GROUPS[other] ?? [other], bar.than ?? bar.measure);
      const pair = [own?.[bar.subject], others?.[of], bar.measure, bar.than];
      const measured = ratio(...pair);
      return {
        bar,
        other,
        of,
        limit,
        measured,
        least: ratioOfLeast(...pair),
        met: isMet(measured, limit)
      };
    });
  });
}
