// Counters of a session: received messages of a stream, sent and acknowledged ones, callbacks. Used by both ends. They report
// errors; the reaction is up to the caller.

import { checksum } from './envelope.mjs';

/** A digest of a list of checksums, extended by one at a time: equal digests mean equal messages in equal order. */
const chain = (/** @type {number} */ digest, /** @type {number} */ sum) =>
  checksum(`${sum}`, digest);

/** Received messages of one stream. */
export class Inbound {
  /**
   * @param {number} session that every message must name
   * @param {{ isFloating?: boolean }} [options] isFloating: the first message may have any number
   */
  constructor(session, { isFloating = false } = {}) {
    this.session = session;
    this.first = isFloating ? -1 : 0;
    this.next = 0;
    this.digest = 0;
    this.bytes = 0;
    /** Number of acknowledged messages. */
    this.told = 0;
    this.duplicated = 0;
    this.misordered = 0;
    /** @type {Set<number>} skipped numbers that have not arrived since */
    this.missing = new Set();
  }

  /** Number of messages that arrived once and in order. */
  get count() {
    return this.first < 0 ? 0 : this.next - this.first;
  }

  /**
   * @param {{ words: string[], body: Buffer, sum: number }} message words: stream, `t` or `b`, session, number
   * @param {boolean} isBinary
   * @returns {string | null} the error
   */
  accept({ words, body, sum }, isBinary) {
    const number = Number(words[3]);
    if (words.length !== 4 || Number(words[2]) !== this.session) return 'of another session';
    if ((words[1] === 'b') !== isBinary) return 'text taken for binary or the other way round';
    if (this.first < 0) this.first = this.next = number;
    if (number !== this.next) return this.unexpected(number);
    this.next++;
    this.bytes += body.length;
    this.digest = chain(this.digest, sum);
    return null;
  }

  /** @param {number} number */
  unexpected(number) {
    const expected = this.next;
    if (number > expected) {
      for (let left = expected; left < number; left++) this.missing.add(left);
      this.next = number + 1;
      return `lost: ${number} came instead of ${expected}`;
    }
    if (this.missing.delete(number)) {
      this.misordered++;
      return `misordered: ${number} came before ${expected}`;
    }
    this.duplicated++;
    return `duplicated: ${number} came again before ${expected}`;
  }
}

/** Sent messages of one stream, until they are acknowledged. */
export class Outbound {
  constructor() {
    this.sent = 0;
    this.acked = 0;
    this.bytes = 0;
    this.digest = 0;
    /** @type {number[]} the digest after each unacknowledged message */
    this.outstanding = [];
  }

  /** @param {number} sum of the message's checksum @param {number} length */
  add(sum, length) {
    this.digest = chain(this.digest, sum);
    this.outstanding.push(this.digest);
    this.bytes += length;
    return this.sent++;
  }

  /**
   * @param {number} count of messages that the peer reports as received
   * @param {number} digest of these
   * @returns {string | null} the error
   */
  acknowledge(count, digest) {
    if (!(count > this.acked && count <= this.sent)) {
      return `${count} acknowledged after ${this.acked}, ${this.sent} were sent`;
    }
    const known = this.outstanding[count - this.acked - 1];
    this.outstanding.splice(0, count - this.acked);
    this.acked = count;
    return known === digest ? null : `the ${count} acknowledged are not those that were sent`;
  }
}

/**
 * Callbacks of one connection's sends: each runs once. Callbacks of written messages run in the order of the calls, and none of
 * them after a failed one.
 */
export class Callbacks {
  constructor() {
    this.made = 0;
    this.called = 0;
    /** The next callback that may succeed. */
    this.next = 0;
    this.failed = 0;
    /** @type {Set<number>} */
    this.waiting = new Set();
  }

  get outstanding() {
    return this.waiting.size;
  }

  make() {
    this.waiting.add(this.made);
    return this.made++;
  }

  /**
   * @param {number} number returned by `make`
   * @param {boolean} isError
   * @returns {string | null} the error
   */
  call(number, isError) {
    if (!this.waiting.delete(number)) return `callback ${number} came again`;
    this.called++;
    if (isError) {
      this.failed++;
      return null;
    }
    const { next, failed } = this;
    this.next = number + 1;
    if (failed > 0) return `callback ${number} came after one that failed`;
    return number === next ? null : `callback ${number} came, ${next} was next`;
  }
}
