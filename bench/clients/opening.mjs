// Client workload of opening and closing connections to an echo server, a number of them at a time. Used by node.mjs, and by
// http-request.mjs without a WebSocket library; communicates with the runner like the load generator.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const say = (line) => console.log(JSON.stringify(line));

/** Percentile of sorted milliseconds, in microseconds. */
export const quantile = (sorted, share) =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 1e4) / 10;

/**
 * Warms up, measures on request, and stays until the end of its input.
 *
 * @param {object} wanted
 * @param {number} wanted.connections connections at a time
 * @param {number} wanted.warmUp seconds
 * @param {number} wanted.seconds
 * @param {string} version of the library
 * @param {(opened: () => void, closed: () => void) => void} open opens a connection, and closes it when it is open
 */
export async function runOpening({ connections, warmUp, seconds }, version, open) {
  let finished = 0;
  let drained = 0;
  let latencies = [];

  /** Opens the next connection as soon as one has closed, until the time is up. */
  async function phase(duration) {
    finished = drained = 0;
    latencies = [];
    let over = false;
    let busy = connections;
    let finish;
    const end = new Promise((resolve) => {
      finish = resolve;
    });
    const next = () => {
      const begun = performance.now();
      open(
        () => latencies.push(performance.now() - begun),
        () => {
          if (!over) {
            finished += 1;
            next();
            return;
          }
          drained += 1;
          busy -= 1;
          if (busy === 0) finish();
        }
      );
    };
    for (let n = 0; n < connections; n += 1) next();
    await delay(duration * 1000);
    over = true;
    await end;
  }

  const input = createInterface({ input: process.stdin });
  input.on('close', () => process.exit());
  await phase(warmUp);
  say({ event: 'ready', version });
  await once(input, 'line');
  await phase(seconds);
  const sorted = latencies.sort((a, b) => a - b);
  say({
    event: 'result',
    messages: finished,
    drained,
    latency: {
      p50: quantile(sorted, 0.5),
      p90: quantile(sorted, 0.9),
      p99: quantile(sorted, 0.99),
      max: quantile(sorted, 1)
    }
  });
}
