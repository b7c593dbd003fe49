'use strict';

/*
 * The zlib stream of a PerMessageDeflate, and the queue of the jobs of all instances. Only permessage-deflate.js uses it.
 */

/** @typedef {(error: Error | null, result?: Buffer) => void} Callback */

/** Jobs of all instances: at most `limit` at a time run on the thread pool. */
const jobs = {
  limit: 0,
  running: 0,
  /** @type {((done: () => void) => void)[]} */
  waiting: [],

  /** @param {(done: () => void) => void} job calls `done` when it has ended */
  add(job) {
    jobs.waiting.push(job);
    jobs.start();
  },

  start() {
    while (jobs.running < jobs.limit && jobs.waiting.length > 0) {
      const job = /** @type {(done: () => void) => void} */ (jobs.waiting.shift());
      jobs.running++;
      try {
        job(() => {
          jobs.running--;
          jobs.start();
        });
      } catch (error) {
        // The job has not started: zlib rejects the options.
        jobs.running--;
        throw error;
      }
    }
  }
};

/** A zlib stream and its output for the current message. */
class Coder {
  /** @param {import('zlib').DeflateRaw | import('zlib').InflateRaw} stream */
  constructor(stream) {
    this.stream = stream;
    /** @type {Buffer[]} */
    this.chunks = [];
    this.length = 0;
    /** @type {Callback | null} */
    this.callback = null;
  }

  /** @returns {Buffer} the output since the last call */
  take() {
    const output =
      this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks, this.length);
    this.chunks = [];
    this.length = 0;
    return output;
  }

  /** @returns {Callback | null} the callback of the running job, which is forgotten */
  takeCallback() {
    const { callback } = this;
    this.callback = null;
    return callback;
  }
}

module.exports = { Coder, jobs };
