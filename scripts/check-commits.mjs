/**
 * Checks the messages of commits: `area: imperative summary` of at most 72 characters, then an empty line before a body.
 * `node scripts/check-commits.mjs` checks all since BASE, `node scripts/check-commits.mjs FROM..TO` a range. Merge commits are left
 * out. Called by .ci/run and by the CI workflow; the rule for authors is in CONTRIBUTING.md.
 */

import { execFileSync } from 'node:child_process';
import { root } from './ready.mjs';

/** The last commit before the rule. */
const BASE = '7f8514b';
const LONGEST = 72;

/** One or several areas (files, folders or subjects), then a summary in lower case, unless it begins with a name. */
const SUBJECT = /^[\w.\-/*]+(?:, [\w.\-/*]+)*: \S.*[^.\s]$/;
/** Verbs that are not imperative. */
const PAST = /: (?:\w+(?:[^e]ed|ing)|adds|fixes|removes|renames|changes|updates|moves|makes|uses) /;
/** Imperatives that look otherwise. */
const IMPERATIVE = /: (?:bring|embed|feed|ping|seed|shed|shred|speed|string) /;

/** @param {...string} args */
const git = (...args) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/**
 * @param {string} message
 * @returns {string[]} the violations
 */
export function faultsOf(message) {
  const [subject = '', second = ''] = message.split('\n');
  const faults = [];
  if (!SUBJECT.test(subject)) faults.push('is not "area: imperative summary" without a full stop');
  if (subject.length > LONGEST) faults.push(`has ${subject.length} characters, over ${LONGEST}`);
  if (PAST.test(subject) && !IMPERATIVE.test(subject)) faults.push('is not imperative');
  if (second !== '') faults.push('has no empty line before the body');
  return faults;
}

/** True if this clone has a commit. @param {string} commit */
function has(commit) {
  try {
    git('cat-file', '-e', `${commit}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

// A shallow clone has no more than the last commits.
const range = process.argv[2] ?? (has(BASE) ? `${BASE}..HEAD` : 'HEAD^!');
const messages = git('log', '--no-merges', '--format=%h%n%B%x00', range, '--').split('\0');
let checked = 0;
for (const entry of messages) {
  const [hash = '', ...lines] = entry.trim().split('\n');
  if (hash === '') continue;
  checked += 1;
  for (const fault of faultsOf(lines.join('\n'))) {
    console.error(`${hash} "${lines[0]}" ${fault}`);
    process.exitCode = 1;
  }
}
console.log(`${checked} commit messages checked in ${range}.`);
