// CPU time and memory of any process, read from Linux's /proc. Called by measure.mjs. On other
// systems every figure is null.
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds per tick of /proc/PID/stat, which has 100 ticks per second. */
const TICK_MICROS = 10_000;
/** Both times of /proc/PID/stat are truncated to ticks, before and after. */
const TICK_ERROR_MICROS = 3 * TICK_MICROS;

/** CPU time of a thread in microseconds; 0 if it has just ended. */
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
 * Samples a process.
 *
 * @param {number} pid
 * @returns {{ threads: number, ticks: number, main: number, rss: number } | null} CPU time in
 *   microseconds of the live threads, of all threads ever (in ticks), and of the main thread, which
 *   runs JavaScript; resident bytes
 */
export function sample(pid) {
  try {
    // pid (name) state ...; the name may contain anything. User and system time are fields 14 and
    // 15.
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
 * CPU time between two samples.
 *
 * @returns {{ process: number | null, main: number | null }} microseconds
 */
export function used(before, after) {
  if (before === null || after === null) return { process: null, main: null };
  const threads = after.threads - before.threads;
  const ticks = after.ticks - before.ticks;
  // Only the coarser figure includes threads that have ended.
  const process = ticks - threads > TICK_ERROR_MICROS ? ticks : threads;
  const main = after.main - before.main;
  return { process, main: main > 0 ? main : null };
}
