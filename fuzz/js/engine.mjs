/**
 * The engine of the fuzzers in this folder: makes inputs, from a target's grammar and by changes to a corpus, runs the
 * target with them, keeps those that show something new, and makes a finding small. A target is a module
 * `NAME.fuzz.mjs`; as a program it calls main(). __test__/fuzz/ runs the same bodies with the committed seeds.
 */

import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Coverage } from './coverage.mjs';
import { Random } from './random.mjs';
import { mutate, shrink } from './mutation.mjs';
import { isSubjectFile } from './libraries.mjs';

/** @typedef {import('./mutation.mjs').Json} Json */

/**
 * @typedef {Object} Target
 * @property {string} name also of the file with its seeds
 * @property {readonly string[]} dictionary words that changes put in
 * @property {(random: Random) => Json} generate an input, mostly a well-formed one
 * @property {(input: any) => Promise<string[]> | string[]} run the body: throws on a finding, gives what the input has
 *   shown, as short texts; must take any input of the right shape
 */

/** @typedef {{ input: Json, error: any }} Finding */
/** @typedef {{ executions: number, crashes: number, seed: number, features: number, findings: Finding[] }} Result */

/** A body that takes longer than this hangs, in milliseconds. */
const HANGS = 20_000;
/** So many executions share one look at the coverage, which takes some milliseconds. */
const BATCH = 512;
/** So many inputs of a batch are searched for at most. */
const ROUNDS = 8;
/** Inputs that are longer as JSON are run, but not changed any further. */
const LONGEST_BASE = 8192;
/** Tries to make a finding smaller. */
const SHRINKING = 4000;

/**
 * The committed inputs of a target. `{ "repeat": [text, times] }` in them stands for a long text.
 *
 * @param {string} name
 * @returns {Json[]}
 */
export function readSeeds(name) {
  const url = new URL(`seeds/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8'), (_key, value) =>
    Array.isArray(value?.repeat) ? value.repeat[0].repeat(value.repeat[1]) : value
  );
}

class Search {
  /**
   * @param {Target} target
   * @param {number} seed
   */
  constructor(target, seed) {
    this.target = target;
    this.random = new Random(seed);
    this.executions = 0;
    /** @type {Json[]} */
    this.corpus = [];
    /** @type {Set<string>} */
    this.features = new Set();
    this.coverage = new Coverage(isSubjectFile);
    /** What runs, or ran last. @type {Json} */
    this.current = null;
    /** Run since the last look at the coverage. @type {Json[]} */
    this.pending = [];
    /** Fails the running execution, if it may take its time. @type {((error: any) => void) | null} */
    this.fail = null;
    this.watchdog = setTimeout(
      () => this.fail?.(new Error('the input does not come to an end')),
      HANGS
    );
  }

  /**
   * Runs the body once.
   *
   * @param {Json} input
   * @returns {Promise<string[]>}
   * @throws what the body throws, at once or later
   */
  async execute(input) {
    this.executions++;
    this.current = input;
    // The bodies of parsers are synchronous and many: a promise for each would be most of the work.
    const features = this.target.run(input);
    if (Array.isArray(features)) return features;
    this.watchdog.refresh();
    return new Promise((resolve, reject) => {
      this.fail = reject;
      features.then(resolve, reject);
    });
  }

  /**
   * Runs an input and keeps it if it is worth it.
   *
   * @param {Json} input
   */
  async examine(input) {
    const features = (await this.execute(input)).filter((feature) => !this.features.has(feature));
    for (const feature of features) this.features.add(feature);
    if (features.length > 0) this.keep(input);
    this.pending.push(input);
    if (this.pending.length >= BATCH) await this.look();
  }

  /** Looks at the coverage; if the batch has reached something, finds out which inputs have, and keeps them. */
  async look() {
    const batch = this.pending;
    this.pending = [];
    let missing = this.coverage.take();
    for (let round = 0; missing.length > 0 && round < ROUNDS; round++) {
      const [input, fresh] = await this.bisect(batch);
      if (fresh.length === 0) break;
      this.coverage.add(fresh);
      this.keep(input);
      missing = missing.filter((block) => !this.coverage.seen.has(block));
    }
    // What nothing reaches again belongs to no input.
    this.coverage.add(missing);
  }

  /**
   * Runs halves of a batch again. A look takes longer than most executions.
   *
   * @param {Json[]} batch of which one reaches a new block
   * @returns {Promise<[Json, string[]]>} that one, with the blocks; none if it does not reach them again
   */
  async bisect(batch) {
    let inputs = batch;
    while (inputs.length > 1) {
      const half = inputs.slice(0, inputs.length / 2);
      for (const input of half) await this.execute(input);
      inputs = this.coverage.take().length > 0 ? half : inputs.slice(inputs.length / 2);
    }
    await this.execute(inputs[0]);
    return [inputs[0], this.coverage.take()];
  }

  /** @param {Json} input */
  keep(input) {
    if (JSON.stringify(input).length <= LONGEST_BASE) this.corpus.push(input);
  }

  /** @returns {Json} the next input to try */
  next() {
    const { random, corpus, target } = this;
    if (corpus.length === 0 || random.oneIn(4)) return target.generate(random);
    // What came last has been looked at least.
    const base = random.oneIn(2) ? random.pick(corpus) : random.pick(corpus.slice(-32));
    return mutate(base, random, target.dictionary, random.pick(corpus));
  }

  /**
   * @param {Json} input fails
   * @returns {Promise<Finding>}
   */
  async explain(input) {
    /** @type {any} */
    let error;
    const fails = async (/** @type {Json} */ candidate) => {
      try {
        await this.execute(candidate);
        return false;
      } catch (reason) {
        error = reason;
        return true;
      }
    };
    const smallest = await shrink(input, fails, SHRINKING);
    await fails(smallest);
    return { input: smallest, error };
  }
}

/**
 * Searches until something is found, or the end.
 *
 * @param {Target} target
 * @param {Object} limits
 * @param {number} limits.seed
 * @param {number} [limits.seconds]
 * @param {number} [limits.executions]
 * @param {Json[]} [limits.seeds] run first
 * @returns {Promise<Result>}
 */
export async function search(
  target,
  { seed, seconds = Infinity, executions = Infinity, seeds = [] }
) {
  const run = new Search(target, seed);
  const end = performance.now() + seconds * 1000;
  /** @type {Finding[]} */
  const findings = [];
  const onUncaught = (/** @type {any} */ error) => {
    if (!run.fail) throw error;
    run.fail(error);
  };
  process.on('uncaughtException', onUncaught);
  const first = [...seeds];

  while (findings.length === 0 && run.executions < executions && performance.now() < end) {
    const input = first.length > 0 ? /** @type {Json} */ (first.shift()) : run.next();
    try {
      await run.examine(input);
    } catch (error) {
      const failed = run.current;
      const finding = await run.explain(failed);
      // What does not fail again is a finding all the same.
      findings.push(finding.error ? finding : { input: failed, error });
    }
  }

  clearTimeout(run.watchdog);
  process.removeListener('uncaughtException', onUncaught);
  run.coverage.stop();
  const features = run.features.size + run.coverage.seen.size;
  return { executions: run.executions, crashes: findings.length, seed, features, findings };
}

/**
 * @param {Json} input
 * @returns {string} as JSON that can be copied from a terminal
 */
const printable = (input) =>
  JSON.stringify(input).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  );

/**
 * Runs a target as a program, if its module is the program. The exit code is 1 on a finding.
 *
 * @param {Target} target
 * @param {string} url of its module
 */
export async function main(target, url) {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== fileURLToPath(url)) return;
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } }
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seed) || !(seconds > 0)) throw new Error('--seconds N, --seed NUMBER');
  console.log(`${target.name}: seed ${seed}, ${seconds} s`);

  const seeds = readSeeds(target.name);
  const { findings, ...result } = await search(target, { seed, seconds, seeds });
  for (const { input, error } of findings) {
    console.log(error?.stack ?? error);
    console.log(`input: ${printable(input)}`);
  }
  console.log(JSON.stringify(result));
  // A finding may have left anything behind.
  process.exit(findings.length > 0 ? 1 : 0);
}
