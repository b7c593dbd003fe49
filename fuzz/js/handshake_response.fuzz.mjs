/**
 * Fuzzes the client side of the opening handshake (lib/client/handshake.js, lib/client/redirects.js): for any response of a
 * server, the client opens with the same protocol and extensions as that of ws, follows the same redirects or fails with the
 * same error.
 */

import { ACCEPT, observeClient } from './client.mjs';
import { main } from './engine.mjs';
import { FIELD_WORDS, extensionsField, protocolField } from './grammar.mjs';
import { oracle, same, shapeOf, subject } from './libraries.mjs';
import { comparableEvents, headOf } from './handshake-trace.mjs';

/** @typedef {import('./random.mjs').Random} Random */

/** Frames of a server: text, ping, close, compressed text, an invalid one. */
const FRAMES = [
  '\x81\x02hi',
  '\x89\0',
  '\x88\x02\x03\xe8',
  '\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\0',
  '\x83\0'
];
const STATUSES = ['200 OK', '204 No', '401 Unauthorized', '100 Continue', '999 x', '299', '400'];
const REDIRECTS = ['300', '301 Moved', '302', '307 x', '308', '399'];
const PLACES = [
  '/b',
  'ws://b/',
  'wss://a:443/',
  'http://a/',
  'ws+unix:/s:/p',
  'ftp://a',
  '//[',
  'ws://c:d@a/#e',
  ''
];

/** @param {Random} random @returns {string} */
function extensionsAnswer(random) {
  if (random.oneIn(2)) return extensionsField(random);
  const params = [
    'server_no_context_takeover',
    'client_max_window_bits=10',
    'server_max_window_bits=12'
  ];
  return ['permessage-deflate', ...random.some(3, () => random.pick(params))].join('; ');
}

/** @param {Random} random @returns {string} */
function response(random) {
  const isUpgrade = !random.oneIn(3);
  const other = random.pick(random.oneIn(3) ? STATUSES : REDIRECTS);
  const lines = [`HTTP/1.1 ${isUpgrade ? '101 Switching Protocols' : other}`];
  const list = [
    `Upgrade: ${random.oneIn(8) ? random.pick(['', 'h2c', 'websocket, h2c']) : random.pick(['websocket', 'WebSocket'])}`,
    `Connection: ${random.oneIn(8) ? random.pick(['', 'close', 'keep-alive, Upgrade']) : 'Upgrade'}`,
    `Sec-WebSocket-Accept: ${random.oneIn(8) ? random.pick(['', 'x', `${ACCEPT}, x`]) : ACCEPT}`
  ];
  if (random.oneIn(3)) list.push(`Sec-WebSocket-Extensions: ${extensionsAnswer(random)}`);
  if (random.oneIn(2)) {
    list.push(`Sec-WebSocket-Protocol: ${random.oneIn(2) ? 'a' : protocolField(random)}`);
  }
  if (!isUpgrade || random.oneIn(8)) list.push(`Location: ${random.pick(PLACES)}`);
  if (random.oneIn(8)) list.push(random.pick(['Content-Length: 2', 'Transfer-Encoding: chunked']));
  if (random.oneIn(6)) list.splice(random.below(list.length), 1);
  if (random.oneIn(6)) list.push(random.pick(list));
  if (random.oneIn(4)) list.sort(() => random.below(3) - 1);
  const frames = random.some(4, () => random.pick(FRAMES)).join('');
  return `${[...lines, ...list].join('\r\n')}\r\n\r\n${frames}`;
}

/**
 * With ws, an invalid body of a redirect response is an error: it emits `error` and `close`, requests the target nevertheless,
 * and leaves that connection open. ferrows follows the redirect.
 *
 * @param {string} text a response
 * @returns {string} its head only, if it may redirect
 */
const withoutRedirectedBody = (text) =>
  /location/i.test(text) ? text.replace(/(\r?\n\r?\n)[^]*/, '$1') : text;

/**
 * @param {any} observation
 * @param {number} events number of comparable events
 * @returns {any}
 */
function upTo(observation, events) {
  if (events === Infinity) return observation;
  const trace = observation.trace
    .slice(0, events)
    .map((/** @type {any[]} */ [event, exchange, ...rest]) =>
      event === 'connect'
        ? [event, { ...exchange, request: headOf(exchange.request) }]
        : [event, exchange, ...rest]
    );
  return { ...observation, trace };
}

/**
 * For a redirect to a target that cannot be requested, ws throws out of Node's parser, which ends the process: this cannot be
 * compared.
 *
 * @param {any[]} trace
 */
const isTheEndOfWs = (trace) =>
  trace.some(([event, detail]) => event === 'error' && detail.includes('unescaped characters'));

/** @type {import('./engine.mjs').Target} */
export const target = {
  name: 'handshake_response',
  dictionary: [
    ...FIELD_WORDS,
    ...FRAMES,
    ...PLACES,
    ...STATUSES,
    ...REDIRECTS,
    ACCEPT,
    '\r\n',
    '\r\n\r\n',
    'Upgrade: websocket\r\n',
    'Sec-WebSocket-Extensions: permessage-deflate\r\n',
    'Sec-WebSocket-Protocol: a\r\n',
    'Location: /a\r\n'
  ],

  generate: (random) => ({
    client: random.below(36),
    protocols: random.pick([[], [], ['a'], ['a', 'b'], ['a', 'B', 'chat', '__proto__']]),
    answers: [response(random), ...random.some(4, () => response(random))]
  }),

  async run({ client, protocols, answers }) {
    const input = {
      address: 'ws://user:pw@a/path?x',
      client,
      protocols,
      answers: answers.map(withoutRedirectedBody)
    };
    const actual = await observeClient(subject, input);
    const events = comparableEvents(actual.trace);
    if (!isTheEndOfWs(actual.trace)) {
      same(upTo(actual, events), upTo(await observeClient(oracle, input), events));
    }
    const shown = actual.trace.map((/** @type {any[]} */ [event, detail, more]) =>
      shapeOf(
        `${event} ${typeof detail === 'string' ? detail : ''} ${event === 'open' ? more : ''}`
      )
    );
    return [...shown, `${shown.slice(0, 6)}`];
  }
};

await main(target, import.meta.url);
