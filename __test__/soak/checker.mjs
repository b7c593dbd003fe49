// Who counts: what arrives on a stream of messages, what was sent and acknowledged, which callbacks have come. Used by
// both ends of a session. They say what is wrong; what follows from that is decided by their user.

import { checksum } from './envelope.mjs';

/** The checksum of a list of checksums, one more each time: two that are equal have seen the same in the same order. */
const chain = (/** @type {number} */ digest, /** @type {number} */ sum) =>
  checksum(`${sum}`, digest);

/** Messages of one stream that arrive. */
export class Inbound {
  /**
   * @param {number} session that every message has to name
   * @param {{ isFloating?: boolean }} [options] whether the first message may have any number
   */
  constructor(session, { isFloating = false } = {}) {
    this.session = session;
    this.first = isFloating ? -1 : 0;
    this.next = 0;
    this.digest = 0;
    this.bytes = 0;
    /** How many the sender was told of. */
    this.told = 0;
    this.duplicated = 0;
    this.misordered = 0;
    /** @type {Set<number>} numbers that were left out and have not come since */
    this.missing = new Set();
  }

  /** How many have arrived, each once and in order. */
  get count() {
    return this.first < 0 ? 0 : this.next - this.first;
  }

  /**
   * @param {{ words: string[], body: Buffer, sum: number }} message words: stream, `t` or `b`, session, number
   * @param {boolean} isBinary
   * @returns {string | null} what is wrong with it
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

/** Messages of one stream that were sent, until they are acknowledged. */
export class Outbound {
  constructor() {
    this.sent = 0;
    this.acked = 0;
    this.bytes = 0;
    this.digest = 0;
    /** @type {number[]} the digest after each message that was not acknowledged */
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
   * @param {number} count how many the peer says have arrived
   * @param {number} digest of those
   * @returns {string | null} what is wrong with that
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
 * Callbacks of one connection's sends: each comes once. Those of what has been written come in the order of the calls, and
 * none of them after one that failed.
 */
export class Callbacks {
  constructor() {
    this.made = 0;
    this.called = 0;
    /** The next one that may succeed. */
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
   * @param {number} number as `make` gave it
   * @param {boolean} isError
   * @returns {string | null} what is wrong
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
