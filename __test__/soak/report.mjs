// The result of a run as a table and as JSON. Used by soak.mjs. Nothing is measured or judged here.

import { judgeMemory } from './memory.mjs';

const MIB = 1024 * 1024;
const LABEL = 30;

/** @param {string} name @param {number} value */
const show = (name, value) =>
  ['rss', 'heapUsed', 'external', 'arrayBuffers'].includes(name)
    ? `${(value / MIB).toFixed(1)} MiB`
    : `${value}`;

/**
 * @param {{ seed: number, seconds: number, library: string, transport: string, wallTime: number,
 *   ledger: import('./ledger.mjs').Ledger, faults: Record<string, number>, samples: Record<string, number>[],
 *   atStart: Record<string, number>, atEnd: Record<string, number>, highWater: number }} run
 */
export function summarize(run) {
  const { ledger, samples } = run;
  const memory = judgeMemory(samples);
  for (const { name, lowBefore, lowAfter, most, isFlat } of memory) {
    if (isFlat !== false) continue;
    ledger.violation(
      `not flat: ${name} was ${show(name, lowBefore)}, became ${show(name, lowAfter)}, may be ${show(name, most)}`
    );
  }
  const { seed, seconds, library, transport, wallTime, faults, atStart, atEnd, highWater } = run;
  const { sums, opened, refused, sessions, survived, corruptionsDetected } = ledger;
  return {
    seed,
    seconds,
    library,
    transport,
    wallTime,
    connections: { opened, refused, sessions },
    messages: { ...sums, ackedNotRecorded: ledger.ackedNotRecorded },
    faults,
    survived,
    stuck: ledger.stuck,
    corruptionsDetected,
    mostOnThreads: Math.max(0, ...samples.map((sample) => sample.onThreads)),
    memory,
    highWater,
    atStart,
    atEnd,
    violationCount: ledger.violationCount,
    violations: ledger.violations
  };
}

/** @param {ReturnType<typeof summarize>} summary @returns {string} */
export function table(summary) {
  const { connections, memory, faults } = summary;
  /** @type {Record<string, number>} */
  const messages = summary.messages;
  const list = (/** @type {Record<string, number>} */ counts) =>
    Object.entries(counts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  /** @type {[string, string | number][]} */
  const rows = [
    ['library, transport', `${summary.library}, ${summary.transport}`],
    [
      'seed, seconds, wall time',
      `${summary.seed}, ${summary.seconds}, ${summary.wallTime.toFixed(1)} s`
    ],
    ['connections opened', connections.opened],
    ['ended in the handshake', connections.refused],
    ['sessions', list(connections.sessions)],
    ['messages sent', messages.sent],
    ['acknowledged', messages.acked],
    ['recorded', messages.recorded],
    ['broadcasts sent, recorded', `${messages.broadcastsSent}, ${messages.broadcastsRecorded}`],
    ['payload', `${(messages.bytes / MIB).toFixed(0)} MiB`],
    ['callbacks, pings, pongs', `${messages.callbacks}, ${messages.pings}, ${messages.pongs}`],
    ['callbacks forgotten (by ws)', messages.forgotten],
    ['clients stuck (of ws)', summary.stuck],
    ['acknowledged, not recorded', messages.ackedNotRecorded],
    [
      'lost, duplicated, misordered',
      `${messages.lost}, ${messages.duplicated}, ${messages.misordered}`
    ],
    ['faults', list(faults)],
    ['broken sessions survived', summary.survived],
    ['corruptions detected by sums', summary.corruptionsDetected],
    ['most connections on threads', summary.mostOnThreads]
  ];
  for (const one of memory) {
    const { name, before, after, peak, lowBefore, lowAfter, most, isFlat } = one;
    const figures = [before, after, peak, lowBefore, lowAfter, most]
      .map((value) => show(name, value))
      .join(' | ');
    rows.push([
      `server ${name}`,
      `${figures} ${isFlat === null ? 'not judged' : isFlat ? 'flat' : 'NOT FLAT'}`
    ]);
  }
  rows.push([
    '',
    'medians: second fifth | last fifth | peak | lower quartiles: second fifth | last fifth | bound'
  ]);
  rows.push(['server rss, high-water mark', show('rss', summary.highWater)]);
  for (const [name, value] of Object.entries(summary.atEnd)) {
    rows.push([
      `server ${name}, idle`,
      `${show(name, summary.atStart[name])} -> ${show(name, value)}`
    ]);
  }
  rows.push(['violations', summary.violationCount]);
  const lines = rows.map(([name, value]) => `${name.padEnd(LABEL)} ${value}`);
  return [...lines, ...summary.violations.map((text) => `  ${text}`)].join('\n');
}
