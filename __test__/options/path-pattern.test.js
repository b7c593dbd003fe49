'use strict';

// PathPattern against Node's URLPattern: a table of the syntax, and a generated corpus. Versions of Node without URLPattern
// compare a digest of the answers that URLPattern gave in Node 24 and 26.

const assert = require('node:assert/strict');
const test = require('node:test');
const { PathPattern, canonicalizePathname } = require('../../lib/options/path-pattern');
const { answersOf, createCorpus, digest } = require('./path-corpus');

const PATTERNS = 20_000;
/** Digest of the answers of URLPattern. If the corpus changes, this test prints the new one in Node 24. */
const DIGEST = '89bbf7a10f8cb8ebe3d8d0598deae00233c4fa69c1f2c9efb436b934da30fa91';

/** @type {any} */
const { URLPattern } = globalThis;

/** @param {string} pattern */
const ours = (pattern) => {
  const compiled = new PathPattern(pattern);
  return (/** @type {string} */ path) => compiled.exec(canonicalizePathname(path));
};

/** @param {string} pattern */
const theirs = (pattern) => {
  const compiled = new URLPattern({ pathname: pattern });
  return (/** @type {string} */ path) => compiled.exec({ pathname: path })?.pathname.groups ?? null;
};

/** Pattern, path, groups; null: no match. @type {[string, string, object | null][]} */
const TABLE = [
  ['/chat', '/chat', {}],
  ['/chat', '/chat/', null],
  ['/chat', '/Chat', null],
  ['/chat{/}?', '/chat/', {}],
  ['/rooms/:id', '/rooms/7', { id: '7' }],
  ['/rooms/:id', '/rooms/', null],
  ['/rooms/:id', '/rooms/7/8', null],
  ['/rooms/:id', '/rooms/a%20b', { id: 'a%20b' }],
  ['/rooms/:id', '/rooms/a b', { id: 'a%20b' }],
  ['/rooms/:id?', '/rooms', { id: undefined }],
  ['/rooms/:id+', '/rooms/a/b', { id: 'a/b' }],
  ['/rooms/:id*', '/rooms', { id: undefined }],
  ['/rooms/:id(\\d+)', '/rooms/12', { id: '12' }],
  ['/rooms/:id(\\d+)', '/rooms/x', null],
  ['/:a-:b', '/1-2', { a: '1', b: '2' }],
  ['/files/*', '/files/a/b', { 0: 'a/b' }],
  ['/(a|b)/:id', '/b/1', { 0: 'b', id: '1' }],
  ['{/:lang}?/chat', '/chat', { lang: undefined }],
  ['{/:lang}?/chat', '/de/chat', { lang: 'de' }],
  ['/a\\:b', '/a:b', {}],
  ['/é', '/%C3%A9', {}],
  ['/b', '/a/../b', {}]
];

for (const [pattern, path, groups] of TABLE) {
  test(`${pattern} on ${path}`, () => {
    const answer = ours(pattern)(path);
    assert.deepEqual(answer && { ...answer }, groups);
    if (URLPattern === undefined) return;
    const expected = theirs(pattern)(path);
    assert.deepEqual(expected && { ...expected }, groups, 'URLPattern differs from the table');
  });
}

test('a generated corpus has the answers of URLPattern', () => {
  const corpus = createCorpus(PATTERNS);
  const answers = answersOf(corpus, ours);
  const matches = answers.filter((answer) => answer.endsWith(']'));
  assert.ok(matches.length > PATTERNS / 2, 'many of the pairs match');
  if (URLPattern !== undefined) {
    const expected = answersOf(corpus, theirs);
    assert.equal(answers.length, expected.length);
    const wrong = answers.filter((answer, index) => answer !== expected[index]);
    assert.deepEqual(wrong.slice(0, 10), []);
    assert.equal(DIGEST, digest(expected), 'the digest is that of an older corpus');
  }
  assert.equal(digest(answers), DIGEST);
});
