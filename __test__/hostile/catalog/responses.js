'use strict';

// The opening handshake of a client: responses that are wrong, unusual, split, endless, or more than one (A7, A8, A9, A15; RFC
// 6455, section 4.1). Redirects are in redirects.js.

const { OPCODE, closeBody } = require('../../differential/frames');
const { acceptKey } = require('../../differential/raw-peer');

const { text, close, ping } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

const DEFLATE = 'permessage-deflate';

/** The Sec-WebSocket-Key of a request. */
const keyOf = (head) => /^Sec-WebSocket-Key: (.*)$/im.exec(head)?.[1] ?? '';

/**
 * A valid response with changes.
 *
 * @param {string} head of the request
 * @param {{ status?: string, headers?: Record<string, string | string[] | null> }} [change] headers replace or (null) remove
 */
function response(head, { status = 'HTTP/1.1 101 Switching Protocols', headers = {} } = {}) {
  const all = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': acceptKey(keyOf(head)),
    ...headers
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((one) => `${name}: ${one}`)
  );
  return [status, ...lines, '', ''].join('\r\n');
}

/** @type {Attack[]} */
const attacks = [];

/** @param {string} name @param {(head: string) => string | Uint8Array} make @param {Partial<Attack>} [more] */
function answers(name, make, more = {}) {
  attacks.push({
    name,
    against: 'client',
    at: 'response',
    bytes: ({ head }) => [Buffer.from(/** @type {any} */ (make(String(head))), 'latin1')],
    ...more
  });
}

const withHeaders = (headers) => (head) => response(head, { headers });

/** Values of required headers. */
const REQUIRED = {
  Upgrade: [
    null,
    '',
    'h2c',
    'WebSocket',
    'websocket, h2c',
    'websocket2',
    ['websocket', 'websocket'],
    '__proto__'
  ],
  Connection: [
    null,
    '',
    'close',
    'keep-alive, Upgrade',
    'upgrade',
    ['Upgrade', 'Upgrade'],
    'constructor'
  ],
  'Sec-WebSocket-Accept': [null, '', 'x', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', ['a', 'b'], '__proto__']
};
for (const [header, values] of Object.entries(REQUIRED)) {
  for (const value of values) {
    const letter = header.endsWith('Accept') ? 'A15' : 'A8';
    answers(
      `${letter} response with ${header}: ${JSON.stringify(value)}`,
      withHeaders({ [header]: value })
    );
  }
}
for (const [name, change] of /** @type {[string, (accept: string) => string | string[]][]} */ ([
  ['in small letters', (accept) => accept.toLowerCase()],
  ['without its padding', (accept) => accept.replace('=', '')],
  ['followed by a byte', (accept) => `${accept}=`],
  ['with spaces around it', (accept) => `  ${accept} \t`],
  ['twice', (accept) => [accept, accept]],
  ['and another one', (accept) => [accept, 'x']]
])) {
  answers(`A15 the right accept ${name}`, (head) =>
    response(head, { headers: { 'Sec-WebSocket-Accept': change(acceptKey(keyOf(head))) } })
  );
}

/** Subprotocols and extensions: answered, offered. */
for (const [value, protocols] of /** @type {[string | string[], string[] | undefined][]} */ ([
  ['a', undefined],
  ['b', ['a']],
  ['A', ['a']],
  ['a, b', ['a', 'b']],
  ['', ['a']],
  ['a', ['a', 'b']],
  [['a', 'a'], ['a']],
  ['constructor', ['a']],
  ['__proto__', undefined],
  ['constructor', ['constructor', '__proto__']]
])) {
  answers(
    `A8 subprotocol ${JSON.stringify(value)} answered to ${JSON.stringify(protocols) ?? 'none'}`,
    withHeaders({ 'Sec-WebSocket-Protocol': value }),
    { protocols }
  );
}
answers('A8 no subprotocol answered to "a"', withHeaders({}), { protocols: ['a'] });

for (const value of [
  '',
  ',',
  'x',
  '__proto__',
  'constructor',
  'x; __proto__; constructor=1',
  DEFLATE,
  `${DEFLATE}, ${DEFLATE}`,
  `${DEFLATE}, x`,
  `x, ${DEFLATE}`,
  `${DEFLATE}; x`,
  `${DEFLATE}; __proto__`,
  `${DEFLATE}; constructor=1`,
  `${DEFLATE}; server_no_context_takeover=1`,
  `${DEFLATE}; server_no_context_takeover; server_no_context_takeover`,
  `${DEFLATE}; server_max_window_bits=7`,
  `${DEFLATE}; server_max_window_bits=16`,
  `${DEFLATE}; server_max_window_bits`,
  `${DEFLATE}; client_max_window_bits=8`,
  `${DEFLATE}; client_max_window_bits`,
  `${DEFLATE}; client_max_window_bits=1e1`,
  `${DEFLATE}; a="`,
  `${DEFLATE};`,
  `a${'"'.repeat(10000)}`,
  `a${', '.repeat(5000)}`,
  `a${'; p'.repeat(4000)}`
]) {
  const shown =
    value.length > 80 ? `${value.slice(0, 10)}... of ${value.length} characters` : value;
  for (const perMessageDeflate of [true, false]) {
    answers(
      `A8 extension ${JSON.stringify(shown)} answered ${perMessageDeflate ? 'to an offer' : 'without an offer'}`,
      withHeaders({ 'Sec-WebSocket-Extensions': value }),
      { options: { perMessageDeflate } }
    );
  }
}

/** Status lines, and what precedes or splits them. */
const NOT_101 = 'Content-Length: 4\r\nConnection: close\r\n\r\nbody';
for (const status of [100, 102, 103, 199]) {
  answers(
    `A17 status ${status} before the 101`,
    (head) => `HTTP/1.1 ${status} Early\r\n\r\n${response(head)}`
  );
}
for (const status of [200, 204, 301, 302, 304, 400, 401, 407, 426, 500, 999]) {
  answers(`A17 status ${status}`, () => `HTTP/1.1 ${status} No\r\n${NOT_101}`);
}
for (const [name, bytes] of /** @type {[string, string | Uint8Array][]} */ ([
  ['nothing', ''],
  ['a TLS alert', Buffer.from('15030100020228', 'hex')],
  ['settings of HTTP/2', Buffer.from('000006040000000000000400100000', 'hex')],
  ['bytes that are no response', Buffer.from('deadbeef0d0a0d0a', 'hex')],
  ['a frame', Buffer.from('810161', 'hex')],
  ['a request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 10 No\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 1010 No\r\n\r\n'],
  ['a negative status', 'HTTP/1.1 -101 No\r\n\r\n'],
  ['only half of a status line', 'HTTP/1.1 10']
])) {
  answers(`A17 response: ${name}`, () => bytes);
}
for (const [name, status] of [
  ['HTTP/1.0', 'HTTP/1.0 101 Switching Protocols'],
  ['HTTP/2.0', 'HTTP/2.0 101 Switching Protocols'],
  ['HTTP/9.9', 'HTTP/9.9 101 Switching Protocols'],
  ['no reason', 'HTTP/1.1 101'],
  ['a reason of 10 KB', `HTTP/1.1 101 ${'r'.repeat(10000)}`],
  ['a reason with a NUL', 'HTTP/1.1 101 a\0b']
]) {
  answers(`A17 response with ${name}`, (head) => response(head, { status }));
}

/** Heads that are split, long, or incomplete. */
for (const [name, headers] of /** @type {[string, Record<string, string | string[]>][]} */ ([
  ['a line of its own in a header', { 'X-Odd': 'a\r\nX-Second: yes' }],
  ['a body in a header', { 'X-Odd': 'a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n' }],
  ['a bare line feed in a header', { 'X-Odd': 'a\nX-Second: yes' }],
  ['a bare carriage return in a header', { 'X-Odd': 'a\rb' }],
  ['a NUL in a header', { 'X-Odd': 'a\0b' }],
  ['a folded header', { 'X-Odd': 'a\r\n b' }],
  ['a space before a colon', { 'X-Odd ': 'a' }],
  ['a header of 10 KB', { 'X-Odd': 'x'.repeat(10000) }],
  ['a header of 100 KB', { 'X-Odd': 'x'.repeat(100000) }],
  ['2500 headers', { 'X-Odd': Array.from({ length: 2500 }, () => 'x') }],
  ['cookies by the hundred', { 'Set-Cookie': Array.from({ length: 200 }, (_, i) => `c${i}=1`) }],
  ['a length of a body', { 'Content-Length': '5' }],
  ['chunks', { 'Transfer-Encoding': 'chunked' }],
  ['both', { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }],
  ['a Location', { Location: 'ws://127.0.0.1:9/' }]
])) {
  answers(`A9 response with ${name}`, withHeaders(headers));
}

const AFTER = /** @type {[string, (make: import('../verdict').Stage['make']) => Uint8Array][]} */ ([
  ['a text', (make) => make(text, 'early')],
  ['a ping', (make) => make(ping, 'early')],
  ['a close', (make) => make(close, closeBody(3000, 'early'))],
  ['an invalid frame', (make) => make(text, 'early', { rsv: 7 })],
  ['a masked frame', (make) => make(text, 'early', { key: Buffer.alloc(4) })],
  ['a second response', () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  ['half a frame', (make) => make(text, 'early').subarray(0, 3)],
  ['2^63 declared bytes', (make) => make(text, '', { declare: 2n ** 63n })]
]);
for (const [name, after] of AFTER) {
  for (const bytewise of [false, true]) {
    answers(`A17 ${name} after the response${bytewise ? ', byte by byte' : ''}`, () => '', {
      bytewise,
      bytes: ({ head, make }) => [Buffer.concat([Buffer.from(response(String(head))), after(make)])]
    });
  }
}

/** Responses that never end, against a program with a limit. */
for (const [name, bytes] of [
  ['no byte', ''],
  ['half a head', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: web'],
  ['a 100, and nothing more', 'HTTP/1.1 100 Continue\r\n\r\n']
]) {
  answers(`A7 ${name} comes, handshakeTimeout`, () => bytes, {
    options: { handshakeTimeout: 500 },
    blurred: true,
    end: 'wait'
  });
}

module.exports = attacks;
