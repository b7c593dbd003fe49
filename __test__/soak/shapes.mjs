// Segmentation of one direction in the proxy without a fault: whole, in pieces, late, slowly, or paused. Used by proxy.mjs.
// Each is bounded in bytes or time, so that every session ends.

import { setTimeout as delay } from 'node:timers/promises';
import { Random } from './random.mjs';

const KIB = 1024;

/** @returns {Promise<void>} an iteration of the event loop, so that the next piece is a segment of its own */
const turn = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** @param {number} time in milliseconds @param {AbortSignal} calmed ends it early */
const wait = (time, calmed) =>
  calmed.aborted ? undefined : delay(time, undefined, { signal: calmed }).catch(() => {});

/** @typedef {(chunk: Buffer, calmed: AbortSignal) => AsyncGenerator<Buffer>} Pieces */

/** For each shape a function of an amount from 0 to 1. @type {Record<string, (amount: number) => Pieces>} */
const SHAPES = {
  forward: () =>
    async function* forward(chunk) {
      yield chunk;
    },

  /** A number of bytes one by one. */
  bytes: (amount) => {
    let left = 200 + amount * 1000;
    return async function* bytes(chunk, calmed) {
      let at = 0;
      for (; at < chunk.length && left > 0 && !calmed.aborted; at++, left--) {
        yield chunk.subarray(at, at + 1);
        await turn();
      }
      if (at < chunk.length) yield chunk.subarray(at);
    };
  },

  /** In pieces of any length. */
  segments: (amount) => {
    const random = new Random(amount * 2 ** 32);
    return async function* segments(chunk, calmed) {
      let at = 0;
      for (let left = 12; left > 0 && at < chunk.length && !calmed.aborted; left--) {
        const end = at + 1 + random.size(0, chunk.length - at - 1);
        yield chunk.subarray(at, end);
        at = end;
        await turn();
      }
      if (at < chunk.length) yield chunk.subarray(at);
    };
  },

  /** Each chunk late, for some time. */
  delay: (amount) => {
    let left = 60;
    return async function* late(chunk, calmed) {
      if (left-- > 0) await wait(1 + amount * 40, calmed);
      yield chunk;
    };
  },

  /** Two pauses of up to two seconds without reading; data that the kernel cannot buffer waits at the sender. */
  stall: (amount) => {
    const stops = [500 + amount * 20 * KIB, 200 * KIB + amount * 4000 * KIB];
    let seen = 0;
    return async function* stall(chunk, calmed) {
      seen += chunk.length;
      if (seen > stops[0]) {
        stops.shift();
        await wait(200 + amount * 1800, calmed);
      }
      yield chunk;
    };
  },

  /** A limited rate, for a number of bytes. */
  throttle: (amount) => {
    const slice = 2 * KIB + Math.floor(amount * 16 * KIB);
    let left = 100;
    return async function* throttle(chunk, calmed) {
      let at = 0;
      for (; at < chunk.length && left > 0 && !calmed.aborted; left--, at += slice) {
        yield chunk.subarray(at, at + slice);
        await wait(20, calmed);
      }
      if (at < chunk.length) yield chunk.subarray(at);
    };
  }
};

/**
 * Splits the chunks of one direction.
 *
 * @param {string} shape
 * @param {number} amount from 0 to 1
 * @param {AbortSignal} calmed ends all delays
 */
export function shaper(shape, amount, calmed) {
  const pieces = SHAPES[shape](amount);
  return (/** @type {Buffer} */ chunk) => pieces(chunk, calmed);
}
