/**
 * Which blocks of some files V8 has run, for engine.mjs: an input that reaches a new one is worth keeping. The
 * profiler of node:inspector counts; nothing is instrumented.
 */

import { Session } from 'node:inspector';

export class Coverage {
  /** @param {(url: string) => boolean} isWatched whether a file's blocks count */
  constructor(isWatched) {
    this.isWatched = isWatched;
    /** @type {Set<string>} */
    this.seen = new Set();
    this.session = new Session();
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /**
   * @returns {string[]} the blocks that have run since the last call, and that add() was not told of
   */
  take() {
    /** @type {string[]} */
    const fresh = [];
    // A session to the own thread answers within the call.
    this.session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      for (const { url, functions } of answer.result) {
        if (!this.isWatched(url)) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            const block = `${url}:${startOffset}-${endOffset}`;
            if (count > 0 && !this.seen.has(block)) fresh.push(block);
          }
        }
      }
    });
    return fresh;
  }

  /** @param {string[]} blocks known from now on */
  add(blocks) {
    for (const block of blocks) this.seen.add(block);
  }

  stop() {
    this.session.post('Profiler.stopPreciseCoverage');
    this.session.disconnect();
  }
}
