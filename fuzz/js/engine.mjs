/**
 * The search loop of the fuzzers in this folder: generates inputs from a target's grammar, mutates those with new features, and shrinks
 * a failing one. A target is a module `NAME.fuzz.mjs`; run as a program it calls main(). __test__/fuzz/ runs the targets with the
 * committed seeds.
 *
 * Code coverage does not guide the search: measured, it reached no more features than the targets' own. fast-check would add a dependency for
 * the shrinking alone, and the addon of Jazzer.js 4.0 needs glibc 2.38.
 */

import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Random } from './random.mjs';
import { mutate, shrink } from './mutation.mjs';

/** @typedef {import('./mutation.mjs').Json} Json */

/**
 * @typedef {Object} Target
 * @property {string} name of the file with its seeds, too
 * @property {readonly string[]} dictionary words that mutations insert
 * @property {(random: Random) => Json} generate returns a mostly well-formed input
 * @property {(input: any) => Promise<string[]> | string[]} run throws on a finding; returns the features of the input as short texts.
 *   Accepts any input of the right shape
 */

/** @typedef {{ input: Json, error: any }} Finding */
/** @typedef {{ executions: number, crashes: number, seed: number, features: number, findings: Finding[] }} Result */

/** Milliseconds after which an execution counts as hanging. */
const TIMEOUT = 20_000;
/** Longer inputs, in characters of JSON, do not enter the corpus. */
const MAX_CORPUS_INPUT = 8192;
/** Maximum number of executions to shrink a failing input. */
const SHRINK_TRIES = 4000;

/**
 * The committed inputs of a target. `{ "repeat": [text, times] }` stands for a long text.
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
    /** Rejects the running asynchronous execution. @type {((error: any) => void) | null} */
    this.fail = null;
    this.watchdog = setTimeout(() => this.fail?.(new Error('the execution does not end')), TIMEOUT);
  }

  /**
   * Runs the target once.
   *
   * @param {Json} input
   * @returns {Promise<string[]>}
   * @throws any error of the target, also one thrown after its return
   */
  async execute(input) {
    this.executions++;
    const features = this.target.run(input);
    // Parsers are synchronous and fast: another promise per execution would dominate their time.
    if (Array.isArray(features)) return features;
    this.watchdog.refresh();
    return new Promise((resolve, reject) => {
      this.fail = reject;
      features.then(resolve, reject);
    });
  }

  /**
   * Runs an input and adds it to the corpus if it has a new feature.
   *
   * @param {Json} input
   */
  async examine(input) {
    const features = await this.execute(input);
    const isNew = features.filter((feature) => !this.features.has(feature)).length > 0;
    for (const feature of features) this.features.add(feature);
    if (isNew && JSON.stringify(input).length <= MAX_CORPUS_INPUT) this.corpus.push(input);
  }

  /** @returns {Json} the next input */
  next() {
    const { random, corpus, target } = this;
    if (corpus.length === 0 || random.oneIn(4)) return target.generate(random);
    // Half of the time a recent one, which has been mutated least.
    const base = random.oneIn(2) ? random.pick(corpus) : random.pick(corpus.slice(-32));
    return mutate(base, random, target.dictionary, random.pick(corpus));
  }

  /**
   * Shrinks a failing input.
   *
   * @param {Json} input
   * @returns {Promise<Finding>} error is undefined if the failure does not recur
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
    const smallest = await shrink(input, fails, SHRINK_TRIES);
    await fails(smallest);
    return { input: smallest, error };
  }
}

/**
 * Searches until the first finding or the end of the limits.
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
      const finding = await run.explain(input);
      // A failure that does not recur is reported with the original input.
      findings.push(finding.error ? finding : { input, error });
    }
  }

  clearTimeout(run.watchdog);
  process.removeListener('uncaughtException', onUncaught);
  const features = run.features.size;
  return { executions: run.executions, crashes: findings.length, seed, features, findings };
}

/**
 * @param {Json} input
 * @returns {string} ASCII-only JSON, to be copied from a terminal
 */
const printable = (input) =>
  JSON.stringify(input).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  );

/**
 * Runs a target if its module is the main program. The exit code is 1 on a finding.
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
  // A finding may have left handles open.
  process.exit(findings.length > 0 ? 1 : 0);
}
