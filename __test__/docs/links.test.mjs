// Every link of every document leads somewhere: to a committed file, to a heading, or to a well-formed https address.
// Nothing is fetched: whether an address answers is not for a test to depend on.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';

import { anchors, documents, files, links, parts, read, undefinedNames } from './markdown.mjs';

/** Folders, too, can be linked to. */
const places = new Set(
  files.flatMap((name) => {
    const segments = name.split('/');
    return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
  })
);

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])$/;

/** @param {string} target; @returns {string | undefined} what is wrong with an address */
function faultOfAddress(target) {
  if (!URL.canParse(target)) return 'is no address';
  const url = new URL(target);
  if (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return undefined;
  if (url.protocol !== 'https:') return 'is not https';
  return url.hostname.includes('.') && url.username === '' ? undefined : 'names no host';
}

/**
 * @param {string} document
 * @param {string} target
 * @returns {string | undefined} what is wrong with a link
 */
function fault(document, target) {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return faultOfAddress(target);
  const [path, anchor] = decodeURI(target).split('#');
  const name =
    path === '' ? document : posix.join(posix.dirname(document), path).replace(/\/$/, '');
  if (!places.has(name)) return 'leads nowhere';
  if (anchor === undefined) return undefined;
  if (!name.endsWith('.md')) return 'leads into a file without headings';
  return anchors(parts(read(name)).prose).has(anchor) ? undefined : 'leads to no heading';
}

test('there are documents, and links in them', () => {
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

test('every page is to be found', () => {
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
