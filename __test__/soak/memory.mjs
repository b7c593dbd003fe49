// Memory of a process and its growth. The server calls `sample`, the report `judgeMemory`.

import { readdirSync, readFileSync } from 'node:fs';

const MIB = 1024 * 1024;
/** A fifth of the run: the first one warms up, the second one is compared with the last. */
const PART = 0.2;
/** Fewer samples are not judged: a shorter run ends before malloc and the caches have reached their size. */
const ENOUGH = 50;

/**
 * Allowed growth, by amount or share, whichever is larger: traffic of random size moves memory (with ws as much), and malloc
 * keeps memory for reuse. Memory after the end of all sessions is judged more strictly, see LEFT.
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

/** Allowed growth of the idle process from the beginning to the end: caches of Node and of the library. */
const LEFT = { heapUsed: 6 * MIB, external: 4 * MIB, descriptors: 8, threads: 5 };

/** Number of entries of a folder of /proc; 0 if it does not exist. @param {string} folder */
function count(folder) {
  try {
    return readdirSync(`/proc/self/${folder}`).length;
  } catch {
    return 0;
  }
}

/** Memory after garbage collection; the addon releases its part in the iteration after the collection. */
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

/** Peak memory of this process in bytes; 0 if the kernel does not report it. @param {number} pid */
export function peakOf(pid) {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found ? Number(found[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

/**
 * Growth of a process that is idle again. Resident memory is not judged: malloc decides it.
 *
 * @param {Record<string, number>} atStart
 * @param {Record<string, number>} atEnd
 * @returns {string[]} exceeded limits
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
 * Judges the lower quartiles: leaked memory is always present, memory in use varies. The medians are for the reader.
 *
 * @param {Record<string, number>[]} samples one per second of traffic
 * @returns {{ name: string, before: number, after: number, peak: number, lowBefore: number, lowAfter: number, most: number,
 *   isFlat: boolean | null }[]} null: the run was too short
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
