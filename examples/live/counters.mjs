// Measurements of the live server. server.mjs counts messages and reads the figures once a second.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

/** Messages per second, in and out, and the maximum delay of the event loop. */
export class Counters {
  #messages = 0;
  #since = performance.now();
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delay.enable();
  }

  /** Counts a message, received or sent. */
  count() {
    this.#messages += 1;
  }

  /**
   * Returns the figures since the last call.
   *
   * @returns {{ messagesPerSecond: number, eventLoopDelay: number }} the delay in milliseconds
   */
  read() {
    const now = performance.now();
    const messagesPerSecond = (this.#messages * 1000) / (now - this.#since);
    // The histogram records the time between two runs of its timer, which includes the timer's period.
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
