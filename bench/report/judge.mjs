// The bars against the results: met or not. Pure: results in, verdicts out; report/document.mjs writes them down.
import { BARS, GROUPS } from '../bars.mjs';
import { least, ratio, ratioOfLeast } from './statistics.mjs';

/**
 * Every limit of every bar.
 *
 * @param {Record<string, Record<string, object[]>>} workloads measurements by workload and subject, one a round
 * @returns {{ bar: object, other: string, of: string | undefined, limit: number, ratio: number, least: number,
 *   met: boolean | undefined }[]} `other` as the bar says it and `of` the subject taken for it; the ratio that judges
 *   and that of the least figures; `met` is undefined when one of the two was not measured
 */
export function judge(workloads) {
  return BARS.flatMap((bar) => {
    const own = workloads[bar.workload];
    const others = workloads[bar.against ?? bar.workload];
    return Object.entries(bar.limits).map(([other, limit]) => {
      const of = least(others, GROUPS[other] ?? [other], bar.measure);
      const pair = [own?.[bar.subject], others?.[of], bar.measure];
      const judged = ratio(...pair);
      return {
        bar,
        other,
        of,
        limit,
        ratio: judged,
        least: ratioOfLeast(...pair),
        met: Number.isNaN(judged) ? undefined : judged <= limit
      };
    });
  });
}
