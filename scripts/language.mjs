/**
 * The language rules of CONTRIBUTING.md over comments and documents: `node scripts/language.mjs` prints counts per folder,
 * `node scripts/language.mjs PATH...` the violations below these paths (`.` for all). __test__/tidy.test.js calls `inspect()`.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { hasProse, paragraphs } from './prose.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The limit of "what" per 1,000 words. */
export const WHAT_LIMIT = 2;

/** Written by programs, or quoting the rules. */
const EXCLUDED =
  /^(?:binding\.(?:js|d\.ts)|scripts\/language\.mjs|bench\/results\.md|LICENSE|.*-lock\.json)$/;

/** Refused everywhere: comments, documents, strings and names. */
const PRONOUNS = /\b(?:whoever|whomever|nobody|somebody|anybody|everybody)\b/i;
/** Refused in comments, documents and test titles. */
const PERSONS = /\b(?:he|him|his|himself)\b/i;
const OPENINGS = /^(?:[-*+>]\s+|\d+\.\s+|#+\s+|[*_`"(]+)*(what|who|whether|when|how|where)\b/i;
const TITLE = /\b(?:test|it|describe|suite)(?:\.\w+)?\(\s*(['"`])(.*?)\1/;
const TITLE_OPENINGS = /^(?:what|who|whether)\b/i;

/** @typedef {{ file: string, line: number, rule: 'opening' | 'pronoun' | 'person', text: string }} Violation */
/** @typedef {{ words: number, what: number, openings: number, pronouns: number, persons: number }} Counts */

/** The folder that a file is counted in. @param {string} file */
export function folderOf(file) {
  const [first, second, third] = file.split('/');
  if (second === undefined) return '(root)';
  return third !== undefined && ['src', 'lib', '__test__', 'bench'].includes(first ?? '')
    ? `${first}/${second}`
    : /** @type {string} */ (first);
}

/** The words of prose without code and addresses. @param {string} text */
const plain = (text) => text.replace(/`[^`]*`/g, ' code ').replace(/\]\([^)]*\)|https?:\S+/g, ' ');

/** Questions in headings are headings of an FAQ. @param {string} file @param {string} text */
const isAllowed = (file, text) =>
  file.endsWith('.md') && (/^#+ .*\?$/.test(text) || text.startsWith('|'));

/**
 * Checks one file.
 *
 * @param {string} file its path below the root, which may be that of another commit
 * @param {string} text
 * @returns {{ counts: Counts, violations: Violation[] }}
 */
export function inspectText(file, text) {
  const counts = { words: 0, what: 0, openings: 0, pronouns: 0, persons: 0 };
  /** @type {Violation[]} */
  const violations = [];
  for (const { line, text: paragraph } of paragraphs(file, text)) {
    const prose = plain(paragraph);
    counts.words += prose.match(/[A-Za-z][\w'’-]*/g)?.length ?? 0;
    counts.what += prose.match(/\bwhat\b/gi)?.length ?? 0;
    if (OPENINGS.test(prose) && !isAllowed(file, paragraph)) {
      violations.push({ file, line, rule: 'opening', text: paragraph });
    }
    if (PERSONS.test(prose)) violations.push({ file, line, rule: 'person', text: paragraph });
  }
  for (const [index, row] of text.split('\n').entries()) {
    const line = index + 1;
    if (PRONOUNS.test(row)) violations.push({ file, line, rule: 'pronoun', text: row.trim() });
    const title = /\.m?js$/.test(file) ? TITLE.exec(row)?.[2] : undefined;
    if (title === undefined) continue;
    if (TITLE_OPENINGS.test(title)) violations.push({ file, line, rule: 'opening', text: title });
    if (PERSONS.test(title)) violations.push({ file, line, rule: 'person', text: title });
  }
  for (const { rule } of violations) counts[`${rule}s`] += 1;
  return { counts, violations };
}

/** True if the rules hold for a file. @param {string} name */
export const isProse = (name) => hasProse(name) && !EXCLUDED.test(name);

/** @returns {string[]} the files of the working tree that have prose, new ones included */
export function proseFiles() {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8'
  });
  return listed.split('\0').filter((name) => name && isProse(name) && existsSync(join(root, name)));
}

/**
 * Checks the working tree.
 *
 * @param {(file: string) => boolean} [chosen]
 * @returns {{ folders: Map<string, Counts>, total: Counts, violations: Violation[] }}
 */
export function inspect(chosen = () => true) {
  /** @type {Map<string, Counts>} */
  const folders = new Map();
  /** @type {Counts} */
  const total = { words: 0, what: 0, openings: 0, pronouns: 0, persons: 0 };
  /** @type {Violation[]} */
  const violations = [];
  for (const file of proseFiles().filter(chosen)) {
    const found = inspectText(file, readFileSync(join(root, file), 'utf8'));
    violations.push(...found.violations);
    const sum = folders.get(folderOf(file)) ?? {
      words: 0,
      what: 0,
      openings: 0,
      pronouns: 0,
      persons: 0
    };
    for (const key of /** @type {(keyof Counts)[]} */ (Object.keys(total))) {
      sum[key] += found.counts[key];
      total[key] += found.counts[key];
    }
    folders.set(folderOf(file), sum);
  }
  return { folders, total, violations };
}

/** @param {Counts} counts */
export const whatRate = ({ what, words }) => (words === 0 ? 0 : (1000 * what) / words);

/** @param {string} name @param {Counts} counts */
const row = (name, counts) =>
  `| ${name.padEnd(24)} | ${String(counts.words).padStart(6)} | ${String(counts.what).padStart(5)} | ${whatRate(counts).toFixed(1).padStart(5)} | ${String(counts.openings).padStart(8)} | ${String(counts.pronouns).padStart(7)} | ${String(counts.persons).padStart(6)} |`;

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const paths = process.argv.slice(2).map((path) => path.replace(/^\.\/|\/+$/g, ''));
  const chosen = (/** @type {string} */ file) =>
    paths.length === 0 ||
    paths.some((path) => path === '.' || file === path || file.startsWith(`${path}/`));
  const { folders, total, violations } = inspect(chosen);
  if (paths.length > 0) {
    for (const { file, line, rule, text } of violations) {
      console.log(
        `${file}:${line}: ${rule}: ${text.length > 140 ? `${text.slice(0, 140)} ...` : text}`
      );
    }
    console.log();
  }
  console.log(
    '| folder                   |  words |  what | /1000 | openings | nobody… | he/his |'
  );
  console.log(
    '| ------------------------ | -----: | ----: | ----: | -------: | ------: | -----: |'
  );
  for (const [name, counts] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(row(name, counts));
  }
  console.log(row('**all**', total));
}
