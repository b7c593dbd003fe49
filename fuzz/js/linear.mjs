/**
 * Counts what a parser reads of its text: work by length, not time. For the targets that parse a field of a header;
 * which texts are long is up to them.
 */

import assert from 'node:assert/strict';

/** Characters that a parser may read for each one of the text: several looks at one and the result. */
const READS = 8;
/** Shorter texts show nothing, and counting takes its time. */
const SHORTEST = 64;

/**
 * Fails if the parser reads more than a multiple of the length of the text.
 *
 * @param {(text: any) => unknown} parse
 * @param {string} text
 */
export function assertLinear(parse, text) {
  if (text.length < SHORTEST) return;
  let reads = 0;
  const counted = new Proxy(Object(text), {
    get(_target, key) {
      if (key === 'length') return text.length;
      const value = /** @type {any} */ (text)[key];
      if (typeof value !== 'function') {
        reads++;
        return value;
      }
      return (/** @type {any[]} */ ...args) => {
        const result = value.apply(text, args);
        reads += typeof result === 'string' ? Math.max(1, result.length) : 1;
        return result;
      };
    }
  });
  try {
    parse(counted);
  } catch {
    // Whether it throws is for the caller to see.
  }
  assert.ok(reads > 0, 'the parser has read nothing');
  assert.ok(reads <= READS * text.length, `${reads} reads of ${text.length} characters`);
}
