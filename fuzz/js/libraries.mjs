/**
 * The two libraries that the fuzzers compare: ferrows, or what FERROWS_SUBJECT puts in its place, and ws, which is
 * always right. The addon is not fuzzed here, but the parsers of the opening handshake are.
 */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const subjectName = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';

/** @type {any} */
export const oracle = require('ws');
/** @type {any} */
export const subject = require('../../__test__/subject.cjs');

const folder = String(pathToFileURL(dirname(require.resolve(subjectName)) + sep + 'lib' + sep));

/** @param {string} url @returns {boolean} whether it is a file of the subject */
export const isSubjectFile = (url) =>
  url.startsWith(folder) || url.startsWith(folder.slice('file://'.length));

/**
 * @param {any} error
 * @returns {string} class, code and message
 */
export const describeError = (error) =>
  `${error?.constructor?.name} ${error?.code ?? ''}: ${error?.message}`;

/**
 * @template T
 * @param {() => T} call
 * @returns {{ value: T } | { thrown: string }} what it returns or throws
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
 * @returns {string} its shape: numbers and what is quoted do not count
 */
export const shapeOf = (text) => text.replace(/"[^]*"/g, '"…"').replace(/\d+/g, '#');
