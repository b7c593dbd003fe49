/**
 * The two libraries under comparison: ferrows, or FERROWS_SUBJECT, and ws as the oracle. The parsers of the opening handshake
 * are fuzzed here; fuzz/targets fuzzes the core.
 */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** @type {any} */
export const oracle = require('ws');
/** @type {any} */
export const subject = require('../../__test__/subject.cjs');

/**
 * @param {any} error
 * @returns {string} class, code and message
 */
export const describeError = (error) =>
  `${error?.constructor?.name} ${error?.code ?? ''}: ${error?.message}`;

/**
 * @template T
 * @param {() => T} call
 * @returns {{ value: T } | { thrown: string }} its result or error
 */
export function outcome(call) {
  try {
    return { value: call() };
  } catch (error) {
    return { thrown: describeError(error) };
  }
}

/**
 * Fails unless two traces are the same; the order of properties counts.
 *
 * @param {any} actual of the subject
 * @param {any} expected of ws
 */
export function same(actual, expected) {
  if (JSON.stringify(actual) === JSON.stringify(expected)) return;
  assert.deepEqual(actual, expected);
  assert.equal(JSON.stringify(actual), JSON.stringify(expected));
}

/**
 * @param {string} text
 * @returns {string} the text without numbers and quoted parts
 */
export const shapeOf = (text) => text.replace(/"[^]*"/g, '"…"').replace(/\d+/g, '#');
