/**
 * What an observer writes down of one handshake, and when it is over: for client.mjs and server.mjs. An observation
 * ends when everything that was opened has closed; nothing here waits for time.
 */

import { describeError } from './libraries.mjs';

export class Sightings {
  constructor() {
    /** What has happened, in order. @type {any[]} */
    this.trace = [];
    /** What has been opened and not closed. */
    this.open = 0;
    /** @type {Promise<void>} */
    this.over = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  /** @param {...any} event */
  note(...event) {
    this.trace.push(event);
  }

  /**
   * The observation lasts until the emitter closes.
   *
   * @param {import('node:events').EventEmitter} emitter
   */
  await(emitter) {
    this.open++;
    emitter.once('close', () => {
      // What closes may make the next thing to wait for, in this turn.
      setImmediate(() => {
        if (--this.open === 0) this.resolve();
      });
    });
  }

  /**
   * Notes what comes over a WebSocket.
   *
   * @param {any} ws
   */
  watch(ws) {
    this.await(ws);
    ws.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) => {
      this.note('message', data.toString('latin1'), isBinary);
    });
    for (const event of ['ping', 'pong']) {
      ws.on(event, (/** @type {Buffer} */ data) => this.note(event, data.toString('latin1')));
    }
    ws.on('error', (/** @type {any} */ error) => this.note('error', describe(error)));
    ws.on('close', (/** @type {number} */ code, /** @type {Buffer} */ reason) => {
      this.note('close', code, reason.toString('latin1'), ws.readyState);
    });
  }
}

/**
 * @param {any} error
 * @returns {string} without what doc/differences.md lists: the words of zlib for bad data
 */
const describe = (error) => (error?.code === 'Z_DATA_ERROR' ? error.code : describeError(error));

/**
 * How far two observations can be compared: behind the handshake, some things come in another order on purpose or by
 * chance.
 *
 * - ws inflates on threads: with compression, whether bad data or the end of the socket is noticed first is chance.
 * - ws looks at a text when it is complete. ferrows fails with the first byte that cannot be UTF-8, before anything
 *   else that is wrong, or the end.
 *
 * @param {any[]} trace of the subject
 * @returns {number} so many events; Infinity: all, and all bytes
 */
export function comparableEvents(trace) {
  const index = trace.findIndex(
    ([event, detail, extensions]) =>
      (event === 'connection' && detail.extensions !== '') ||
      (event === 'open' && extensions !== '') ||
      (event === 'error' && detail.includes('WS_ERR_INVALID_UTF8'))
  );
  if (index === -1) return Infinity;
  return trace[index][0] === 'error' ? index : index + 1;
}

/** @param {string} bytes @returns {string} up to the first empty line */
export const headOf = (bytes) => bytes.split('\r\n\r\n', 1)[0];
