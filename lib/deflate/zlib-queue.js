'use strict';

/*
 * The zlib stream of a PerMessageDeflate, and the queue of the jobs of all instances. Only permessage-deflate.js uses it.
 */

/** @typedef {(error: Error | null, result?: Buffer) => void} Callback */

/** Jobs of all instances: at most `limit` at a time run on the thread pool. */
const jobs = {
  limit: 0,
  running: 0,
  /** @type {{ job: (done: Callback) => void, callback: Callback }[]} */
  queue: [],

  /**
   * @param {(done: Callback) => void} job calls `done` with its result
   * @param {Callback} callback called with the result, after the next job has been started
   */
  add(job, callback) {
    jobs.queue.push({ job, callback });
    jobs.start();
  },

  start() {
    while (jobs.running < jobs.limit) {
      const next = jobs.queue.shift();
      if (next === undefined) return;
      jobs.running++;
      try {
        next.job((error, result) => {
          jobs.running--;
          jobs.start();
          next.callback(error, result);
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
