/** Seeded random numbers for the fuzzers of this folder. */

/** mulberry32: 32 bits of state are enough for a run of a minute, and a seed is one number. */
export class Random {
  /** @param {number} seed */
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /**
   * @param {number} limit
   * @returns {number} an integer from 0 to below `limit`
   */
  below(limit) {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let value = this.state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 4294967296) * limit);
  }

  /**
   * @param {number} times
   * @returns {boolean} true with probability 1 / `times`
   */
  oneIn(times) {
    return this.below(times) === 0;
  }

  /**
   * @template T
   * @param {readonly T[] | string} list
   * @returns {T}
   */
  pick(list) {
    return /** @type {T} */ (list[this.below(list.length)]);
  }

  /**
   * @template T
   * @param {number} limit
   * @param {() => T} make
   * @returns {T[]} zero to below `limit` results of `make`
   */
  some(limit, make) {
    return Array.from({ length: this.below(limit) }, make);
  }
}
