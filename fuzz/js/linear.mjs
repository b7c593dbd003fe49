/** Counts the characters that a parser reads: work by length, not time. Used by the targets that parse a header field. */

import assert from 'node:assert/strict';

/** Allowed reads per character: several reads of a character and the result. */
const READS = 8;
/** Shorter texts are not counted, because counting is slow. */
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
    // The caller checks exceptions.
  }
  assert.ok(reads > 0, 'the parser has read nothing');
  assert.ok(reads <= READS * text.length, `${reads} reads of ${text.length} characters`);
}
