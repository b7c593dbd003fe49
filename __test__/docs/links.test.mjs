// Checks that every link in a document points to a committed file, a heading, or a well-formed https address. Addresses are not
// fetched: a test must not depend on other servers.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';

import { anchors, documents, files, links, parts, read, undefinedNames } from './markdown.mjs';

/** Files and folders. */
const places = new Set(
  files.flatMap((name) => {
    const segments = name.split('/');
    return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
  })
);

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])$/;

/** @param {string} target; @returns {string | undefined} the fault of an address */
function faultOfAddress(target) {
  if (!URL.canParse(target)) return 'is not an address';
  const url = new URL(target);
  if (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return undefined;
  if (url.protocol !== 'https:') return 'is not https';
  return url.hostname.includes('.') && url.username === '' ? undefined : 'names no host';
}

/**
 * @param {string} document
 * @param {string} target
 * @returns {string | undefined} the fault of a link
 */
function fault(document, target) {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return faultOfAddress(target);
  const [path, anchor] = decodeURI(target).split('#');
  const name =
    path === '' ? document : posix.join(posix.dirname(document), path).replace(/\/$/, '');
  if (!places.has(name)) return 'does not exist';
  if (anchor === undefined) return undefined;
  if (!name.endsWith('.md')) return 'is a file without headings';
  return anchors(parts(read(name)).prose).has(anchor) ? undefined : 'has no such heading';
}

test('the documents have links', () => {
  assert.ok(documents.length > 10);
  assert.ok(documents.flatMap((name) => links(parts(read(name)).prose)).length > 50);
});

for (const document of documents) {
  test(`the links of ${document}`, () => {
    const { prose } = parts(read(document));
    const faults = links(prose).flatMap((target) => {
      const wrong = fault(document, target);
      return wrong === undefined ? [] : [`${target} ${wrong}`];
    });
    assert.deepEqual(faults, []);
    assert.deepEqual(undefinedNames(prose), []);
  });
}

test('every page is linked from an index', () => {
  const linkedFrom = (index) =>
    links(parts(read(index)).prose).map((target) =>
      posix.join(posix.dirname(index), target.split('#')[0])
    );
  const index = new Set(linkedFrom('doc/README.md'));
  const front = new Set(linkedFrom('README.md'));
  const pages = documents.filter((name) => /^doc\/(?!README\.md)/.test(name));
  const top = documents.filter((name) => !name.includes('/') && name !== 'README.md');
  assert.deepEqual(
    pages.filter((name) => !index.has(name)),
    []
  );
  assert.deepEqual(
    [...top, 'doc/README.md', 'examples/README.md'].filter((name) => !front.has(name)),
    []
  );
});
