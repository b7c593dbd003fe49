/**
 * Fuzzes the server side of the opening handshake (lib/websocket-server.js, lib/server/abort-handshake.js): for any bytes of a
 * client, the server sends the same bytes and emits the same events as that of ws, with many options.
 */

import { main } from './engine.mjs';
import { FIELD_WORDS, extensionsField, protocolField } from './grammar.mjs';
import { oracle, same, shapeOf, subject } from './libraries.mjs';
import { observeServer } from './server.mjs';
import { comparableEvents, headOf } from './handshake-trace.mjs';

/** @typedef {import('./random.mjs').Random} Random */

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** Frames of a client, masked with zeros: text, ping, close, compressed text, an invalid one. */
const FRAMES = [
  '\x81\x82\0\0\0\0hi',
  '\x89\x80\0\0\0\0',
  '\x88\x82\0\0\0\0\x03\xe8',
  '\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\0',
  '\x83\x80\0\0\0\0'
];

/** @param {Random} random @returns {[string, string][]} */
function fields(random) {
  /** @type {[string, string][]} */
  const list = [
    ['Host', 'localhost'],
    ['Connection', random.pick(['Upgrade', 'upgrade', 'keep-alive, Upgrade', 'close'])],
    ['Upgrade', random.pick(['websocket', 'WebSocket', 'websocket, h2c', 'h2c'])],
    ['Sec-WebSocket-Key', random.oneIn(8) ? random.pick(['', 'x', `${KEY}=`]) : KEY],
    ['Sec-WebSocket-Version', random.pick(['13', '8', '13', '13.0', '0xd', '7', '13, 8', ''])]
  ];
  if (!random.oneIn(3)) list.push(['Sec-WebSocket-Extensions', extensionsField(random)]);
  if (random.oneIn(2)) list.push(['Sec-WebSocket-Protocol', protocolField(random)]);
  if (random.oneIn(3)) list.push(['Origin', random.pick(['', 'a', 'x', 'http://a.b'])]);
  if (random.oneIn(8)) list.push(['Sec-WebSocket-Origin', 'b']);
  if (random.oneIn(16)) list.push([random.pick(['Content-Length', 'Expect']), '3']);
  if (random.oneIn(16)) list.push(['Transfer-Encoding', 'chunked']);
  if (random.oneIn(6)) list.splice(random.below(list.length), 1);
  if (random.oneIn(6)) list.splice(random.below(list.length), 0, random.pick(list));
  if (random.oneIn(4)) list.sort(() => random.below(3) - 1);
  return list;
}

/** @param {Random} random @returns {string} */
function request(random) {
  const method = random.oneIn(8) ? random.pick(['POST', 'get', 'HEAD', 'OPTIONS']) : 'GET';
  const path = random.pick([
    '/',
    '/chat',
    '/chat?a=b',
    '/chat/',
    '*',
    'http://a/chat',
    '/%63hat#?'
  ]);
  const version = random.oneIn(16) ? random.pick(['1.0', '2.0', '1']) : '1.1';
  const lines = fields(random).map(([name, value]) => {
    const cased = random.oneIn(6) ? name.toUpperCase() : name;
    return `${cased}:${random.pick(['', ' ', ' ', ' ', '\t '])}${value}${random.pick(['', '', ' '])}`;
  });
  return [`${method} ${path} HTTP/${version}`, ...lines, '', ''].join('\r\n');
}

/**
 * @param {{ answer: string, trace: any[] }} observation
 * @param {number} events number of comparable events
 * @returns {{ answer: string, trace: any[] }}
 */
const upTo = ({ answer, trace }, events) =>
  events === Infinity
    ? { answer, trace }
    : { answer: headOf(answer), trace: trace.slice(0, events) };

/** @type {import('./engine.mjs').Target} */
export const target = {
  name: 'handshake_request',
  dictionary: [
    ...FIELD_WORDS,
    ...FRAMES,
    KEY,
    '\r\n',
    '\r\n\r\n',
    'Upgrade: websocket\r\n',
    'Connection: Upgrade\r\n',
    'Sec-WebSocket-Key: ',
    'Sec-WebSocket-Version: ',
    'Sec-WebSocket-Extensions: permessage-deflate\r\n',
    'Sec-WebSocket-Protocol: ',
    'Origin: x\r\n',
    'Content-Length: 2\r\n'
  ],

  generate: (random) => {
    const text = request(random) + random.some(4, () => random.pick(FRAMES)).join('');
    const at = random.below(text.length);
    const chunks = random.oneIn(3) ? [text.slice(0, at), text.slice(at)] : [text];
    return { server: random.below(24), chunks };
  },

  async run(input) {
    const actual = await observeServer(subject, input);
    const events = comparableEvents(actual.trace);
    same(upTo(actual, events), upTo(await observeServer(oracle, input), events));
    const [line] = actual.answer.split('\r\n', 1);
    const shown = actual.trace.map((/** @type {any[]} */ [event, detail]) =>
      shapeOf(`${event} ${typeof detail === 'string' ? detail.slice(0, 60) : ''}`)
    );
    return [`${input.server}: ${line}`, ...shown, `${shown.slice(0, 6)}`];
  }
};

await main(target, import.meta.url);
