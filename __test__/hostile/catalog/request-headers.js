'use strict';

// Headers of a handshake with a server, one at a time: missing, repeated, unusual, long, and named like members of
// Object.prototype (A8, A9, A15; RFC 6455, sections 4.2.1 and 9.1).

const { CLIENT_KEY, upgradeRequest } = require('../../differential/raw-peer');

/** @typedef {import('../verdict').Attack} Attack */

/** Names of Object.prototype. */
const PROTOTYPE = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'isPrototypeOf',
  'prototype',
  'toString',
  'valueOf',
  '__defineGetter__',
  '__lookupGetter__',
  'then'
];

/** Values by header. @type {Record<string, (string | string[] | null)[]>} */
const VALUES = {
  Upgrade: [
    '',
    'WEBSOCKET',
    'websocket, h2c',
    'h2c',
    'websockets',
    'websocket\t',
    'web socket',
    '"websocket"'
  ],
  Connection: ['', 'upgrade', 'keep-alive, Upgrade', 'Upgrade, Upgrade', 'Upgrades', 'x-Upgrade'],
  'Sec-WebSocket-Key': [
    null,
    '',
    'dGhlIHNhbXBsZSBub25jZQ=',
    'dGhlIHNhbXBsZSBub25jZQ',
    'dGhlIHNhbXBsZSBub25jZQ==x',
    'dGhlIHNhbXBsZSBub25jZR==',
    'dGhl IHNhbXBsZSBub25jZ==',
    'dGhlIHNhbXBsZSBub25jZ-==',
    '======================',
    [CLIENT_KEY, CLIENT_KEY],
    `${CLIENT_KEY}, ${CLIENT_KEY}`,
    'A'.repeat(10000)
  ],
  'Sec-WebSocket-Version': [
    null,
    '',
    '0',
    '7',
    '8',
    '12',
    '13.0',
    '013',
    '0xd',
    '+13',
    '-13',
    '1e1',
    '14',
    '13x',
    'NaN',
    'Infinity',
    '13, 8',
    ['13', '8'],
    '4294967309',
    '9'.repeat(400)
  ],
  'Sec-WebSocket-Protocol': [
    '',
    ',',
    'a,',
    ',a',
    'a,,b',
    'a b',
    'a;b',
    'a=b',
    '"a"',
    'a\tb',
    'a, a',
    ['a', 'b'],
    ['a', 'a'],
    '\u00e4',
    '(a)',
    'a/b',
    'a\\b',
    '{}',
    '%0d%0aX: y',
    'a'.repeat(15000),
    Array.from({ length: 3000 }, (_, i) => i).join(','),
    PROTOTYPE.join(', '),
    ...PROTOTYPE
  ],
  'Sec-WebSocket-Extensions': [
    '',
    ',',
    ';',
    '=',
    '"',
    'a;',
    'a;=',
    'a;b=',
    'a; b="',
    'a; b=""',
    'a; b="\\"',
    'a; b="\\""',
    'a; b="c d"',
    'a b',
    'a,,b',
    'x-unknown',
    '\u00e4',
    'a; b=\u00e4',
    'permessage-deflate',
    'permessage-deflate;',
    'permessage-deflate; x',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=8',
    'permessage-deflate; server_max_window_bits=9',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=1e1',
    'permessage-deflate; server_max_window_bits=-10',
    'permessage-deflate; server_max_window_bits="10"',
    'permessage-deflate; server_max_window_bits=" 10"',
    'permessage-deflate; client_max_window_bits=99999999999999999999',
    'permessage-deflate; client_max_window_bits; client_max_window_bits=10',
    'permessage-deflate; client_max_window_bits=NaN',
    'permessage-deflate; server_max_window_bits=16, permessage-deflate',
    'permessage-deflate, permessage-deflate; x',
    'PERMESSAGE-DEFLATE',
    ['permessage-deflate', 'permessage-deflate; x=1'],
    'permessage-deflate, '.repeat(500) + 'permessage-deflate',
    Array.from({ length: 2000 }, (_, i) => `x${i}`).join(','),
    `a${'; p'.repeat(4000)}`,
    ...PROTOTYPE,
    ...PROTOTYPE.map((name) => `permessage-deflate; ${name}`),
    ...PROTOTYPE.map((name) => `x; ${name}=1; ${name}=2, x; ${name}`)
  ]
};

/** A value, or its beginning. */
function short(value) {
  const text = JSON.stringify(value);
  return text.length > 70 ? `${text.slice(0, 50)}... of ${text.length} characters` : text;
}

/** @type {Attack[]} */
const attacks = [];

for (const [header, values] of Object.entries(VALUES)) {
  const letter = header.endsWith('Key') ? 'A15' : 'A8';
  const isAboutDeflate = header.endsWith('Extensions');
  for (const value of values) {
    for (const perMessageDeflate of isAboutDeflate ? [true, false] : [false]) {
      attacks.push({
        name: `${letter} ${header}: ${short(value)}${perMessageDeflate ? ', compression on' : ''}`,
        against: 'server',
        at: 'request',
        options: { perMessageDeflate },
        bytes: () => [Buffer.from(upgradeRequest({ headers: { [header]: value } }), 'latin1')]
      });
    }
  }
}

for (const header of ['Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions', 'Sec-WebSocket-Key']) {
  for (const unit of [',', ' ', '"', ';', '=', '\t', 'a ', 'a,', 'a;', '\\', 'a="', '"\\', ', ']) {
    attacks.push({
      name: `A8 ${header}: 16 KB of ${JSON.stringify(unit)}`,
      against: 'server',
      at: 'request',
      options: { perMessageDeflate: true },
      bytes: () => [
        upgradeRequest({
          headers: { [header]: `a${unit.repeat(Math.floor(15900 / unit.length))}b` }
        })
      ]
    });
  }
}

/** Results of hooks. @type {[string, object][]} */
const HOOKS = [
  ['a line of its own', { handleProtocols: () => 'a\r\nX-Second: yes' }],
  ['a protocol that was not offered', { handleProtocols: () => 'other' }],
  ['nothing', { handleProtocols: () => false }],
  ['the last of those offered', { handleProtocols: (all) => [...all].pop() }]
];

for (const [name, options] of HOOKS) {
  attacks.push({
    name: `A9 handleProtocols returns ${name}`,
    against: 'server',
    at: 'request',
    options,
    bytes: () => [upgradeRequest({ headers: { 'Sec-WebSocket-Protocol': 'a, constructor' } })]
  });
}

attacks.push(
  ...['a\r\nX-Second: yes', 'a\nb', 'a\rb'].map((value) => ({
    name: `A9 a protocol offered as ${JSON.stringify(value)}`,
    against: /** @type {const} */ ('server'),
    at: /** @type {const} */ ('request'),
    bytes: () => [upgradeRequest({ headers: { 'Sec-WebSocket-Protocol': value } })]
  })),
  ...['a\r\nX-Second: yes', 'a; b\r\n\r\nGET /smuggled HTTP/1.1'].map((value) => ({
    name: `A9 an extension offered as ${JSON.stringify(value)}`,
    against: /** @type {const} */ ('server'),
    at: /** @type {const} */ ('request'),
    options: { perMessageDeflate: true },
    bytes: () => [upgradeRequest({ headers: { 'Sec-WebSocket-Extensions': value } })]
  }))
);

module.exports = attacks;
