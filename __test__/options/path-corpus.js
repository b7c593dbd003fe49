'use strict';

// Patterns and paths, the same at each run, for the comparison of PathPattern with URLPattern.

const { createHash } = require('node:crypto');

/** Pieces of patterns. */
const PIECES = [
  ...[
    '/',
    '/',
    '/',
    'a',
    'b',
    'chat',
    'rooms',
    '.',
    '..',
    '-',
    '_',
    '~',
    '$',
    '|',
    '^',
    '[',
    ']',
    '%20',
    '%',
    ' ',
    'é',
    '😀'
  ],
  ...[
    ':',
    ':id',
    ':id',
    ':b',
    ':é',
    ':1',
    ':$',
    '*',
    '*',
    '?',
    '+',
    '\\',
    '\\:',
    '\\(',
    '\\é',
    '{',
    '}',
    '{',
    '}'
  ],
  ...[
    '(',
    ')',
    '(\\d+)',
    '(a|b)',
    '(?:a)',
    '(.*)',
    '([^/]+?)',
    '((?:a|b)+)',
    '(\\p{L})',
    '([a-z--[b]])',
    '(?<n>a)',
    '(é)',
    '(a'
  ],
  ...[
    '{/a}?',
    '{/:c}*',
    '{a:d-}+',
    '{/b}',
    '{}',
    '{}?',
    '{x*y}?',
    ';',
    '#',
    '//',
    '/./',
    '/../',
    '"',
    '<',
    '\t'
  ]
];

/** Paths. */
const PATHS = [
  ...[
    '/',
    '/a',
    '/b',
    '/a/',
    '/a/b',
    '/a/b/a',
    '//',
    '//a',
    '/chat',
    '/chat/',
    '/CHAT',
    '/rooms',
    '/rooms/1',
    '/rooms/1/2'
  ],
  ...[
    '/rooms/a%20b',
    '/rooms/a b',
    '/rooms/é',
    '/rooms/%C3%A9',
    '/%',
    '/%2e',
    '/%2e%2e/a',
    '/a/../b',
    '/a/./b',
    '/.',
    '/..'
  ],
  ...[
    '/a\\b',
    '/a;b',
    '/:id',
    '/*',
    '/(a)',
    '/a-b-',
    '/1',
    '/12',
    '/b/b/b',
    '/ab',
    '/aa',
    '/xay',
    '/xy',
    '/~',
    '/|',
    '/^'
  ],
  ...['/[', '/]', '/$', '/"', '/<', '/#', '/?', '/\t', '/😀', '/😀/a']
];

/** @param {number} seed @returns {() => number} numbers below 2^32 (mulberry32) */
function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** @param {number} count @param {number} [seed] @returns {{ pattern: string, paths: string[] }[]} */
function createCorpus(count, seed = 1) {
  const next = randomNumbers(seed);
  /** @template T @param {T[]} list @returns {T} */
  const pick = (list) => list[next() % list.length];
  return Array.from({ length: count }, () => {
    const pieces = Array.from({ length: 1 + (next() % 6) }, () => pick(PIECES));
    const pattern = (next() % 8 === 0 ? '' : '/') + pieces.join('');
    // Some that resemble the pattern.
    const similar = pattern
      .replace(/\([^)]*\)/g, () => pick(['a', 'b', '1', 'a/b', '']))
      .replace(/:[\w$]+/g, () => pick(['a', 'b', '1', 'chat', 'é']))
      .replaceAll('*', () => pick(['', 'a', '/a/b', '/']))
      .replace(/[{}?+\\]/g, '');
    const paths = [
      similar,
      `${similar}/`,
      pattern,
      ...Array.from({ length: 8 }, () => pick(PATHS))
    ];
    // The paths of requests begin so.
    return { pattern, paths: paths.filter((path) => path.startsWith('/')) };
  });
}

/**
 * The answers to a corpus, one line each.
 *
 * @param {ReturnType<typeof createCorpus>} corpus
 * @param {(pattern: string) => (path: string) => Record<string, string | undefined> | null} compile throws on invalid patterns
 * @returns {string[]}
 */
function answersOf(corpus, compile) {
  return corpus.flatMap(({ pattern, paths }) => {
    let exec;
    try {
      exec = compile(pattern);
    } catch {
      return [`${JSON.stringify(pattern)} is invalid`];
    }
    return paths.map((path) => {
      const groups = exec(path);
      const answer =
        groups === null
          ? null
          : Object.entries(groups)
              .map(([name, value]) => [name, value ?? null])
              .sort(([one], [other]) => (String(one) < String(other) ? -1 : 1));
      return `${JSON.stringify(pattern)} ${JSON.stringify(path)} ${JSON.stringify(answer)}`;
    });
  });
}

/** @param {string[]} lines @returns {string} */
const digest = (lines) => createHash('sha256').update(lines.join('\n')).digest('hex');

module.exports = { answersOf, createCorpus, digest };
