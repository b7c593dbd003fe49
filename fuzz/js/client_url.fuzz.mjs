/**
 * Fuzzes addresses of clients (lib/client/url.js, lib/client/request.js): any address and list of subprotocols throws the error
 * of ws, or leads to the same connection and request.
 */

import { observeClient } from './client.mjs';
import { main } from './engine.mjs';
import { FIELD_WORDS } from './grammar.mjs';
import { oracle, same, shapeOf, subject } from './libraries.mjs';

const SCHEMES = ['ws:', 'wss:', 'http:', 'https:', 'ws+unix:', 'WS:', 'ftp:', 'wss+unix:', ''];
const USERS = ['', '', '', 'a:b@', 'a@', ':b@', '%41%:%@', '@', 'a%00:b@'];
const HOSTS = [
  'a',
  'A.b',
  '127.1',
  '[::1]',
  '[::1',
  'xn--a',
  'é',
  '',
  'a:80',
  'a:443',
  'a:0',
  'a:65536',
  '%61'
];
const PATHS = [
  '',
  '/',
  '/b?c',
  '/b:c:d',
  '?a',
  '/é',
  '/ ',
  '/\\',
  '/%',
  '/../a',
  '#',
  '#a',
  '/a\tb'
];

/** @type {import('./engine.mjs').Target} */
export const target = {
  name: 'client_url',
  dictionary: [...FIELD_WORDS, ...SCHEMES, ...USERS, ...HOSTS, ...PATHS, '//'],

  generate: (random) => ({
    address:
      random.pick(SCHEMES) +
      random.pick(['//', '//', '//', '/', '']) +
      random.pick(USERS) +
      random.pick(HOSTS) +
      random.pick(PATHS),
    isUrl: random.oneIn(4),
    client: random.below(9),
    protocols: random.oneIn(2) ? [] : random.some(3, () => random.pick(FIELD_WORDS))
  }),

  async run({ address, isUrl, client, protocols }) {
    const make = () => ({
      address: isUrl && URL.canParse(address) ? new URL(address) : address,
      client,
      protocols,
      answers: []
    });
    const actual = await observeClient(subject, make());
    same(actual, await observeClient(oracle, make()));
    if (actual.thrown) return [shapeOf(actual.thrown).slice(0, 60)];
    const { where = [] } = actual.trace[0]?.[1] ?? {};
    return where.map(
      (/** @type {string} */ line, /** @type {number} */ index) =>
        `${index}: ${[...new Set(line.replace(/\w+/g, 'a'))].join('').slice(0, 6)}`
    );
  }
};

await main(target, import.meta.url);
