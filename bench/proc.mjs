// What a process has used, read from outside and for every kind of process alike: Linux's /proc. Called by measure.mjs.
// Elsewhere there is nothing to read, and every figure is null.
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds of a tick of /proc/PID/stat: Linux shows every program a hundred a second. */
const TICK_MICROS = 10_000;
/** Both times of /proc/PID/stat are cut to ticks, before and after. */
const TICK_ERROR_MICROS = 3 * TICK_MICROS;

/** Microseconds that a thread has been on a CPU; 0 when it has just ended. */
function threadMicros(pid, thread) {
  try {
    return (
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]) /
      1000
    );
  } catch {
    return 0;
  }
}

/**
 * What a process has used up to now.
 *
 * @param {number} pid
 * @returns {{ threads: number, ticks: number, main: number, rss: number } | null} microseconds of CPU of the threads that
 *   are alive, of all threads ever in ticks, and of the main thread, which is the one that runs JavaScript; resident bytes
 */
export function sample(pid) {
  try {
    // pid (name) state ...; the name may hold anything. User and system time are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '').split(' ');
    const [, resident] = readFileSync(`/proc/${pid}/status`, 'latin1').match(/^VmRSS:\s*(\d+) kB/m);
    return {
      threads: readdirSync(`/proc/${pid}/task`)
        .map((thread) => threadMicros(pid, thread))
        .reduce((sum, micros) => sum + micros, 0),
      ticks: (Number(fields[11]) + Number(fields[12])) * TICK_MICROS,
      main: threadMicros(pid, pid),
      rss: Number(resident) * 1024
    };
  } catch {
    return null;
  }
}

/**
 * What was used between two samples.
 *
 * @returns {{ process: number | null, main: number | null }} microseconds of CPU
 */
export function used(before, after) {
  if (before === null || after === null) return { process: null, main: null };
  const threads = after.threads - before.threads;
  const ticks = after.ticks - before.ticks;
  // Threads that have ended are in the coarser figure only.
  const process = ticks - threads > TICK_ERROR_MICROS ? ticks : threads;
  const main = after.main - before.main;
  return { process, main: main > 0 ? main : null };
}
