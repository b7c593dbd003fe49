// What the live server measures of itself. server.mjs counts into it and reads it each second.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

/** Messages a second, in and out, and the event loop's worst delay. */
export class Counters {
  #messages = 0;
  #since = performance.now();
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delay.enable();
  }

  /** One message has come in or gone out. */
  count() {
    this.#messages += 1;
  }

  /**
   * The figures since the last call.
   *
   * @returns {{ messagesPerSecond: number, eventLoopDelay: number }} the delay in milliseconds
   */
  read() {
    const now = performance.now();
    const messagesPerSecond = (this.#messages * 1000) / (now - this.#since);
    // The histogram holds the time from one tick of its timer to the next: the timer's own period is no delay.
    const worst = this.#delay.count === 0 ? 0 : this.#delay.max / 1e6 - RESOLUTION_MS;
    this.#messages = 0;
    this.#since = now;
    this.#delay.reset();
    return { messagesPerSecond, eventLoopDelay: Math.max(0, worst) };
  }

  /** Stops measuring. */
  stop() {
    this.#delay.disable();
  }
}
