// Compares the results with targets.mjs. Pure functions; page.mjs prints the verdicts.
import { GROUPS, TARGETS } from '../targets.mjs';
import { best, least, median, ratio, ratioOfLeast, values } from './statistics.mjs';

/** @returns {boolean | undefined} undefined if not measured */
const isMet = (measured, limit) => (Number.isFinite(measured) ? measured <= limit : undefined);

/** A target for the figure itself, not for a ratio. */
function evaluateFigure(target, own) {
  const record = own?.[target.subject];
  const measured = median(values(record, target.measure));
  const lowest = best(record, target.measure, Math.min);
  return { target, limit: target.most, measured, least: lowest, met: isMet(measured, target.most) };
}

/** A target for the growth between two workloads: at most that of `growthOf` in the same run. */
function evaluateGrowth(target, own, others) {
  const { subject, growthOf, measure } = target;
  const growth = (name, pick) => pick(own?.[name], others?.[name], measure);
  const [limit, measured] = [growthOf, subject].map((name) => growth(name, ratio));
  const lowest = growth(subject, ratioOfLeast);
  const met = Number.isFinite(limit) ? isMet(measured, limit) : undefined;
  return { target, other: growthOf, limit, measured, least: lowest, met };
}

/**
 * Evaluates every limit of every target.
 *
 * @param {Record<string, Record<string, object>>} workloads records by workload and subject
 * @returns {{ target: object, other?: string, of?: string, limit: number, measured: number, least: number,
 *   met: boolean | undefined }[]} `other` is the key of the limit and `of` the subject that represents it; `measured` decides, `least`
 *   is the ratio of the lowest values; for a target with `most` both are the figures themselves; `met` is undefined if a figure is
 *   missing
 */
export function evaluate(workloads) {
  return TARGETS.flatMap((target) => {
    const own = workloads[target.workload];
    if (target.most !== undefined) return evaluateFigure(target, own);
    const others = workloads[target.against ?? target.workload];
    if (target.growthOf) return evaluateGrowth(target, own, others);
    return Object.entries(target.limits).map(([other, limit]) => {
      const of = least(others, GROUPS[other] ?? [other], target.than ?? target.measure);
      const pair = [own?.[target.subject], others?.[of], target.measure, target.than];
      const measured = ratio(...pair);
      return {
        target,
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
