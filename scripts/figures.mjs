/**
 * Figures of the structure and the language of the code, as Markdown: `node scripts/figures.mjs [COMMIT]`, the working tree by
 * default. The files that a message passes are counted by hand, in ARCHITECTURE.md.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { circles, libGraph, rustGraph } from './imports.mjs';
import { inspectText, isProse } from './language.mjs';
import { paragraphs } from './prose.mjs';
import { root } from './ready.mjs';

/** @typedef {Map<string, string>} Files texts by paths below the root */

/** @param {...string} args */
const git = (...args) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });

/** @param {string | undefined} commit @returns {Files} */
function load(commit) {
  const listed = commit
    ? git('ls-tree', '-r', '-z', '--name-only', commit)
    : git('ls-files', '-co', '--exclude-standard', '-z');
  const names = listed
    .split('\0')
    .filter((name) => /\.(?:[cm]?[jt]s|rs|md|json|py|ya?ml|toml|sh)$/.test(name));
  const folder = commit ? mkdtempSync(join(tmpdir(), 'ferrows-figures-')) : root;
  if (commit)
    execFileSync('sh', ['-c', 'git archive "$0" | tar -x -C "$1"', commit, folder], { cwd: root });
  /** @type {Files} */
  const files = new Map();
  for (const name of names) {
    try {
      files.set(name, readFileSync(join(folder, name), 'utf8'));
    } catch {
      // Deleted in the working tree.
    }
  }
  if (commit) rmSync(folder, { recursive: true });
  return files;
}

/** @param {string} text */
const lines = (text) => text.split('\n').length - 1;

/** Lines of a source in JavaScript, TypeScript or Rust that are neither empty nor within a comment. @param {string} text */
function codeLines(text) {
  let count = 0;
  let isComment = false;
  for (const line of text.split('\n')) {
    const content = line.trim();
    if (!isComment && content !== '' && !/^\/[/*]/.test(content)) count++;
    if (isComment || content.startsWith('/*')) isComment = !content.includes('*/');
  }
  return count;
}

/** The areas of the repository; the first pattern that matches counts. @type {[string, RegExp][]} */
const AREAS = [
  ['generated and data', /^(?:binding\.|.*lock\.json$|bench\/results|.*\/expected\.json$)|\.json$/],
  ['src/protocol', /^src\/protocol\/(?!.*tests?[/.])/],
  ['src/connection', /^src\/connection\/(?!.*tests?[/.])/],
  ['src/transport', /^src\/transport\/(?!.*tests?[/.])/],
  ['src/addon', /^src\/addon\/(?!.*tests?[/.])/],
  ['Rust tests, fuzzing', /^(?:src\/.*\.rs|tests\/.*|fuzz\/.*)$/],
  ['lib, index', /^(?:lib\/|index\.(?:js|mjs)|browser\.js)/],
  ['types', /^index\.d\./],
  ['__test__', /^__test__\//],
  ['bench', /^bench\//],
  ['scripts, CI', /^(?:scripts|\.github|\.ci)\//],
  ['examples', /^examples\//],
  ['documents', /\.md$/]
];

/** The parts of the area `lib, index` (ARCHITECTURE.md, "The shim"); the first pattern that matches counts. @type {[string, RegExp][]} */
const PARTS = [
  ['stand-ins for objects of Node', /^lib\/(?:socket|node|server\/(?!abort-handshake))/],
  [
    'transports',
    /^lib\/(?:transport\/|(?:native|load-error|stats|diagnostics)\.js|connection\/(?:sender|receiver)\.js|deflate\/native-config\.js)/
  ],
  ['API of ws', /^/]
];

/**
 * Prints a row per area, and returns the lines of each.
 *
 * @param {[string, RegExp][]} areas
 * @param {[string, string][]} files
 */
function printAreas(areas, files) {
  console.log('\n| area | files | lines | code |\n| --- | ---: | ---: | ---: |');
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const [area] of areas) {
    const own = files.filter(
      ([name]) => areas.find(([, pattern]) => pattern.test(name))?.[0] === area
    );
    sums.set(
      area,
      own.reduce((sum, [, text]) => sum + lines(text), 0)
    );
    const sources = own.filter(([name]) => /\.(?:rs|[cm]?[jt]s)$/.test(name));
    const code = sources.reduce((sum, [, text]) => sum + codeLines(text), 0);
    console.log(`| ${area} | ${own.length} | ${sums.get(area)} | ${code} |`);
  }
  return sums;
}

/** @param {number[]} values @param {number} share */
const quantile = (values, share) =>
  values.toSorted((a, b) => a - b)[
    Math.min(values.length - 1, Math.floor(values.length * share))
  ] ?? 0;
/** @param {number} part @param {number} whole @param {number} scale */
const rate = (part, whole, scale) => (whole === 0 ? 0 : (scale * part) / whole).toFixed(1);

const commit = process.argv[2];
const files = load(commit);
console.log(`# Figures of ${commit ?? 'the working tree'}`);
const sums = printAreas(AREAS, [...files]);
printAreas(
  PARTS,
  [...files].filter(([name]) => /^(?:lib\/|index\.(?:js|mjs)$|browser\.js$)/.test(name))
);
const product = ['src/protocol', 'src/connection', 'src/transport', 'src/addon'].reduce(
  (sum, area) => sum + (sums.get(area) ?? 0),
  0
);
console.log(
  `\nsrc/addon: ${rate(sums.get('src/addon') ?? 0, product, 100)} % of ${product} lines of the product's Rust.\n`
);

console.log(
  '| language | words | "what" per 1,000 | indefinite persons per 1,000 | paragraphs | open with what, who, ... |\n| --- | ---: | ---: | ---: | ---: | ---: |'
);
for (const [title, pattern] of /** @type {[string, RegExp][]} */ ([
  ['comments', /\.(?:rs|[cm]?[jt]s)$/],
  ['documents', /\.md$/]
])) {
  const sum = { words: 0, what: 0, pronouns: 0, openings: 0, paragraphs: 0 };
  for (const [name, text] of files) {
    if (!pattern.test(name) || !isProse(name)) continue;
    const { counts } = inspectText(name, text);
    for (const key of /** @type {('words' | 'what' | 'pronouns' | 'openings')[]} */ ([
      'words',
      'what',
      'pronouns',
      'openings'
    ]))
      sum[key] += counts[key];
    sum.paragraphs += paragraphs(name, text).length;
  }
  console.log(
    `| ${title} | ${sum.words} | ${rate(sum.what, sum.words, 1000)} | ${rate(sum.pronouns, sum.words, 1000)} | ${sum.paragraphs} | ${rate(sum.openings, sum.paragraphs, 100)} % |`
  );
}

const sources = [...files]
  .filter(([name]) => /^(?:src|lib)\//.test(name))
  .map(([, text]) => lines(text));
console.log(
  `\nFiles of src and lib: median ${quantile(sources, 0.5)} lines, ${quantile(sources, 0.9)} at 90 %, ${sources.filter((count) => count > 400).length} over 400, the longest ${Math.max(...sources)}.`
);
for (const [name, graph] of /** @type {[string, import('./imports.mjs').Graph][]} */ ([
  ['src', rustGraph(files)],
  ['lib', libGraph(files)]
])) {
  const found = circles(graph);
  console.log(
    `\nCircles of imports in ${name}: ${found.length}${found.map((group) => `\n- ${group.length} files: ${group.join(', ')}`).join('')}`
  );
}
const subjects = git('log', '--no-merges', '--format=%s%x00%b%x01', commit ?? 'HEAD')
  .split('\x01')
  .map((entry) => entry.trim().split('\0'));
for (const [title, some] of /** @type {[string, string[][]][]} */ ([
  ['all', subjects],
  ['the last 100', subjects.slice(0, 100)]
])) {
  const lengths = some.map(([subject = '']) => subject.length);
  console.log(
    `\nCommit subjects (${title}): median ${quantile(lengths, 0.5)} characters, ${lengths.filter((length) => length > 72).length} of ${lengths.length} over 72, ${some.filter(([, body]) => body?.trim()).length} with a body.`
  );
}
