// Random numbers of a seed: the same numbers for the same seed, in every process of the soak. Used by the plan, the traffic and
// the proxy.

/** The constants of mulberry32, and of the hash that mixes several seeds into one. */
const STEP = 0x6d2b79f5;
const PRIME = 0x01000193;

export class Random {
  /** @param {...number} seeds mixed into one */
  constructor(...seeds) {
    this.state = 0x811c9dc5;
    for (const seed of seeds) {
      this.state = Math.imul(this.state ^ seed ^ (seed / 2 ** 32), PRIME);
      this.state = Math.imul(this.state ^ (this.state >>> 15), 0x85ebca6b);
    }
  }

  /** From 0 to below 1. */
  fraction() {
    this.state = (this.state + STEP) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer, both bounds included. @param {number} least @param {number} most */
  whole(least, most) {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** An integer with a logarithmic distribution: as many small as large ones. @param {number} least @param {number} most */
  size(least, most) {
    return Math.floor((least + 1) * ((most + 1) / (least + 1)) ** this.fraction()) - 1;
  }

  /** @param {number} probability */
  chance(probability) {
    return this.fraction() < probability;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return list[Math.floor(this.fraction() * list.length)];
  }

  /** One of the keys, with the frequency of its weight. @template {string} K @param {Record<K, number>} weights @returns {K} */
  weigh(weights) {
    const entries = /** @type {[K, number][]} */ (Object.entries(weights));
    let rest = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      rest -= weight;
      if (rest < 0) return key;
    }
    return entries[entries.length - 1][0];
  }
}
