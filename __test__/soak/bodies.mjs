// Message bodies: text with characters of one to four bytes, and bytes that do or do not compress. Used by the senders. Bodies
// are cut from pools made once, so that making a message costs less than sending it.

import { Random } from './random.mjs';

const POOL = 4 * 1024 * 1024;
const PHRASE = 'Grüße an alle: 世界, мир, 🦀 ħéļļø ';
/** Longest UTF-8 sequence, in bytes. */
const isInside = (/** @type {number} */ byte) => (byte & 0xc0) === 0x80;

const random = new Random(POOL);
/** Half random, half repetitive. */
const bytes = Buffer.alloc(POOL);
for (let at = 0; at < POOL; at += 4) {
  bytes.writeUInt32LE(at & 0x8000 ? at >>> 13 : Math.floor(random.fraction() * 2 ** 32), at);
}
const phrase = Buffer.from(PHRASE);
const text = Buffer.alloc(POOL);
for (let at = 0; at + phrase.length + 8 <= POOL;) {
  at += phrase.copy(text, at);
  at += text.write(`${random.whole(0, 9_999_999)} `.padEnd(8, '.'), at, 'latin1');
}

/**
 * A body from a pool. May be shorter than requested, to end with a whole character.
 *
 * @param {Random} numbers
 * @param {boolean} isBinary
 * @param {number} size in bytes
 */
export function makeBody(numbers, isBinary, size) {
  let start = numbers.whole(0, POOL / 4 - 1);
  let end = start + size;
  if (isBinary) return bytes.subarray(start, end);
  while (isInside(text[start])) start++;
  while (end > start && isInside(text[end])) end--;
  return text.subarray(start, Math.max(start, end));
}
