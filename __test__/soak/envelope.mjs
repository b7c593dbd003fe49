// The format of every message of the soak: a checksum, a line of words, then the body. Used by senders and receivers.
// traffic.mjs defines the words.

import { createHash } from 'node:crypto';
import zlib from 'node:zlib';

const EMPTY = Buffer.alloc(0);
/** Digits of the checksum and the space after it. */
const PREFIX = 9;
/** Longer than any line. */
const LONGEST_LINE = 80;
const NEW_LINE = 10;

/**
 * A checksum of 32 bits that continues from an earlier one. Node has CRC-32 since 20.15; before, it is a part of SHA-1.
 *
 * @type {(data: Buffer | string, value?: number) => number}
 */
export const checksum =
  zlib.crc32 ??
  ((data, value = 0) =>
    createHash('sha1').update(`${value}:`).update(data).digest().readUInt32BE(0));

/** @param {number} sum */
const prefixOf = (sum) => `${sum.toString(16).padStart(PREFIX - 1, '0')} `;

/**
 * @param {(string | number)[]} words without spaces
 * @param {Buffer} [body]
 * @returns {{ data: Buffer, sum: number }} the message, and its checksum
 */
export function pack(words, body = EMPTY) {
  const line = Buffer.from(`${words.join(' ')} ${body.length}\n`);
  const sum = checksum(body, checksum(line));
  return { data: Buffer.concat([Buffer.from(prefixOf(sum)), line, body]), sum };
}

/**
 * @param {Buffer} data
 * @returns {{ words: string[], body: Buffer, sum: number } | null} null if the checksum or the format is wrong
 */
export function unpack(data) {
  const end = data.subarray(0, LONGEST_LINE).indexOf(NEW_LINE);
  if (end < PREFIX) return null;
  const body = data.subarray(end + 1);
  const sum = checksum(body, checksum(data.subarray(PREFIX, end + 1)));
  if (data.toString('latin1', 0, PREFIX) !== prefixOf(sum)) return null;
  const words = data.toString('latin1', PREFIX, end).split(' ');
  if (Number(words.pop()) !== body.length) return null;
  return { words, body, sum };
}
