/**
 * The trace of one handshake, and its end, for client.mjs and server.mjs. An observation ends when everything that was opened
 * has closed; there are no timeouts.
 */

import { describeError } from './libraries.mjs';

export class HandshakeTrace {
  constructor() {
    /** The events in order. @type {any[]} */
    this.trace = [];
    /** Number of open resources. */
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
   * Extends the observation until the emitter closes.
   *
   * @param {import('node:events').EventEmitter} emitter
   */
  await(emitter) {
    this.open++;
    emitter.once('close', () => {
      // A closing resource may open the next one in the same iteration.
      setImmediate(() => {
        if (--this.open === 0) this.resolve();
      });
    });
  }

  /**
   * Records the events of a WebSocket.
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
 * @returns {string} without differences listed in doc/differences.md: zlib's message for invalid data
 */
const describe = (error) => (error?.code === 'Z_DATA_ERROR' ? error.code : describeError(error));

/**
 * The comparable part of two observations. After the handshake, the order of some events differs on purpose or by chance:
 *
 * - ws inflates on threads: with compression, invalid data and the end of the socket may be detected in either order.
 * - ws validates a complete text. ferrows fails with the first invalid byte, before any later error or end.
 *
 * @param {any[]} trace of the subject
 * @returns {number} number of comparable events; Infinity: all, and all bytes
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
