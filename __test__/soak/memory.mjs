// What a process weighs, and whether it grows. `sample` is called in the server, `judgeMemory` by the report.

import { readdirSync, readFileSync } from 'node:fs';

const MIB = 1024 * 1024;
/** A part of the run: the first fifth warms up, the second one is compared with the last. */
const PART = 0.2;
/** Fewer samples say nothing: a shorter run is over before malloc and the caches have what they need. */
const ENOUGH = 50;

/**
 * What may be added: traffic of random size moves memory about (ws moves it as much), and malloc keeps what it may need
 * again. Whichever is more, the amount or the share. What is left when all have gone is judged more strictly, see LEFT.
 *
 * @type {Record<string, { amount: number, share: number }>}
 */
const BOUNDS = {
  rss: { amount: 40 * MIB, share: 0.25 },
  heapUsed: { amount: 4 * MIB, share: 0.15 },
  external: { amount: 32 * MIB, share: 0.15 },
  descriptors: { amount: 8, share: 0.15 },
  threads: { amount: 1, share: 0 }
};

/** What the idle process may have at the end that it had not at the beginning: caches of Node and of the library. */
const LEFT = { heapUsed: 6 * MIB, external: 4 * MIB, descriptors: 8, threads: 5 };

/** Entries of a folder of /proc; 0 where there is none. @param {string} folder */
function count(folder) {
  try {
    return readdirSync(`/proc/self/${folder}`).length;
  } catch {
    return 0;
  }
}

/** What the process has now, without garbage: an addon's memory is given back in the turn after the collection. */
export async function sample() {
  for (let again = 2; again > 0; again--) {
    globalThis.gc?.();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const descriptors = count('fd');
  return { rss, heapUsed, external, arrayBuffers, descriptors, threads: count('task') };
}

/** The highest this process ever was, in bytes; 0 where the kernel does not say. @param {number} pid */
export function peakOf(pid) {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found ? Number(found[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

/**
 * What a process that is idle again has kept. Its resident memory is not looked at: that is malloc's.
 *
 * @param {Record<string, number>} atStart
 * @param {Record<string, number>} atEnd
 * @returns {string[]} what is too much
 */
export function judgeIdle(atStart, atEnd) {
  return Object.entries(LEFT)
    .filter(([name, most]) => atEnd[name] - atStart[name] > most)
    .map(([name]) => `${name} was ${atStart[name]} and is ${atEnd[name]} when all have gone`);
}

/** @param {number[]} numbers @param {number} share below it */
function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length === 0 ? NaN : sorted[Math.floor(sorted.length * share)];
}

/**
 * The verdict is about the lower quartiles: what is leaked is always there, and what is on its way comes and goes. The
 * medians are for the reader.
 *
 * @param {Record<string, number>[]} samples one a second, of the time in which the traffic went on
 * @returns {{ name: string, before: number, after: number, peak: number, lowBefore: number, lowAfter: number, most: number, isFlat: boolean | null }[]} null: the run was too short
 */
export function judgeMemory(samples) {
  const part = Math.max(1, Math.floor(samples.length * PART));
  return Object.entries(BOUNDS).map(([name, { amount, share }]) => {
    const values = samples.map((one) => one[name]);
    const parts = [values.slice(part, 2 * part), values.slice(-part)];
    const [before, after] = parts.map((one) => quantile(one, 0.5));
    const [lowBefore, lowAfter] = parts.map((one) => quantile(one, 0.25));
    const most = lowBefore + Math.max(amount, share * lowBefore);
    const isFlat = samples.length < ENOUGH ? null : lowAfter <= most;
    return { name, before, after, peak: Math.max(...values), lowBefore, lowAfter, most, isFlat };
  });
}
