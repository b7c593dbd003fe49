'use strict';

// The opening handshake of a server: bytes that are not a request, not a handshake, or more than one, in the first segment (A7,
// A8, A15, A16, A17; RFC 6455, section 4.2). Values of headers are in request-headers.js.

const { OPCODE } = require('../../differential/frames');
const { CLIENT_KEY, upgradeRequest } = require('../../differential/raw-peer');

const { text, ping } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

/** Bytes after a refused or pending request. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
const GOOD = upgradeRequest();

/** Complete requests, and bytes that are none; the server ends the connection itself. */
const REFUSED = /** @type {[string, string | Uint8Array, object?][]} */ ([
  ['a TLS hello', Buffer.from('16030100c8010000c40303' + '00'.repeat(200), 'hex')],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['random bytes', Buffer.from('deadbeef00ff80fe0d0a0d0a', 'hex')],
  ['NUL bytes', Buffer.alloc(100)],
  ['a frame', Buffer.from('8185000000006161616161', 'hex')],
  ['a line without an end of 64 KiB', 'G'.repeat(65536)],
  ['a target of 64 KiB', upgradeRequest({ target: `/${'x'.repeat(65536)}` })],
  ['bare line feeds', GOOD.replaceAll('\r\n', '\n')],
  ['bare carriage returns', GOOD.replaceAll('\r\n', '\r')],
  ['HTTP/1.2', upgradeRequest({ version: '1.2' })],
  ['HTTP/9', upgradeRequest({ version: '9.0' })],
  ['a NUL in a header', upgradeRequest({ headers: { 'X-Odd': 'a\0b' } })],
  ['a NUL in a name', upgradeRequest({ headers: { 'X-\0Odd': 'a' } })],
  ['a folded header', upgradeRequest({ headers: { 'X-Odd': 'a\r\n b' } })],
  ['a space before a colon', upgradeRequest({ headers: { 'X-Odd ': 'a' } })],
  ['no colon', GOOD.replace('Host:', 'Host')],
  ['an empty name', upgradeRequest({ headers: { '': 'a' } })],
  ['20 KiB of one header', upgradeRequest({ headers: { 'X-Odd': 'x'.repeat(20000) } })],
  ['an unknown method', upgradeRequest({ method: 'WEBSOCKET' })],
  ['a method in small letters', upgradeRequest({ method: 'get' })],
  ['two lengths of the body', upgradeRequest({ headers: { 'Content-Length': ['1', '2'] } })],
  ['a negative length of the body', upgradeRequest({ headers: { 'Content-Length': '-1' } })],
  [
    'a length and chunks',
    upgradeRequest({
      headers: { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }
    })
  ],
  ['POST', upgradeRequest({ method: 'POST' })],
  ['HEAD', upgradeRequest({ method: 'HEAD' })],
  ['PUT', upgradeRequest({ method: 'PUT' })],
  ['OPTIONS', upgradeRequest({ method: 'OPTIONS' })],
  ['CONNECT', upgradeRequest({ method: 'CONNECT', target: 'localhost:80' })],
  ['another path', upgradeRequest({ target: '/elsewhere' }), { path: '/bystander' }],
  ['a path with a dot', upgradeRequest({ target: '/./bystander' }), { path: '/bystander' }],
  ['a path with an escape', upgradeRequest({ target: '/%62ystander' }), { path: '/bystander' }],
  ['a path with two slashes', upgradeRequest({ target: '//bystander' }), { path: '/bystander' }],
  ['an absolute target', upgradeRequest({ target: 'http://evil.example/' }), { path: '/bystander' }]
]);

/** Requests that are answered by 101 or by the HTTP server. */
const ODD = /** @type {[string, string | Uint8Array, object?][]} */ ([
  ['nothing at all', ''],
  ['HTTP/1.0', upgradeRequest({ version: '1.0' })],
  ['HTTP/2.0', upgradeRequest({ version: '2.0' })],
  ['no Host', upgradeRequest({ headers: { Host: null } })],
  ['two Hosts', upgradeRequest({ headers: { Host: ['localhost', 'evil.example'] } })],
  ['empty lines in front', `\r\n\r\n${GOOD}`],
  ['no Upgrade', upgradeRequest({ headers: { Upgrade: null } })],
  ['no Connection', upgradeRequest({ headers: { Connection: null } })],
  ['a Connection that closes', upgradeRequest({ headers: { Connection: 'close' } })],
  [
    'a Connection that closes and upgrades',
    upgradeRequest({ headers: { Connection: 'close, Upgrade' } })
  ],
  ['a body that is announced', upgradeRequest({ headers: { 'Content-Length': '10' } })],
  ['chunks that are announced', upgradeRequest({ headers: { 'Transfer-Encoding': 'chunked' } })],
  ['Expect: 100-continue', upgradeRequest({ headers: { Expect: '100-continue' } })],
  ['Expect of something else', upgradeRequest({ headers: { Expect: 'the unexpected' } })],
  ['a query with odd characters', upgradeRequest({ target: '/?a=%00&b=<script>&c=\u00e4' })],
  ['a plain request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['plain requests in a pipeline', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(20)],
  ['a plain request, then a handshake', `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n${GOOD}`],
  [
    '100 other headers',
    upgradeRequest({
      headers: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`X-${i}`, 'x']))
    })
  ]
]);

/** @type {Attack[]} */
const attacks = [];

for (const [name, bytes, options] of REFUSED) {
  attacks.push({
    name: `A17 ${name}`,
    against: 'server',
    at: 'request',
    options,
    end: 'wait',
    bytes: () => [bytes]
  });
  attacks.push({
    name: `A17 ${name}, then a second request`,
    against: 'server',
    at: 'request',
    options,
    end: 'wait',
    bytes: () => [Buffer.concat([Buffer.from(bytes), Buffer.from(SMUGGLED)])]
  });
}

for (const [name, bytes, options] of ODD) {
  for (const bytewise of bytes.length > 500 ? [false] : [false, true]) {
    attacks.push({
      name: `A17 ${name}${bytewise ? ', byte by byte' : ''}`,
      against: 'server',
      at: 'request',
      options,
      bytewise,
      bytes: () => [Buffer.from(bytes)]
    });
  }
}

for (const count of [1000, 2000, 2001, 3000]) {
  for (const isFirst of [true, false]) {
    const lines = 'a:1\r\n'.repeat(count);
    attacks.push({
      name: `A8 ${count} headers ${isFirst ? 'before' : 'after'} those of the handshake`,
      against: 'server',
      at: 'request',
      bytes: () => [
        isFirst ? GOOD.replace('Host', `${lines}Host`) : `${GOOD.slice(0, -2)}${lines}\r\n`
      ]
    });
  }
}

attacks.push(
  {
    name: 'A17 frames in the segment of the request',
    against: 'server',
    at: 'request',
    bytes: ({ make }) => [
      Buffer.concat([Buffer.from(GOOD), make(text, 'early'), make(ping, 'early')])
    ]
  },
  {
    name: 'A17 an invalid frame in the segment of the request',
    against: 'server',
    at: 'request',
    end: 'wait',
    bytes: ({ make }) => [Buffer.concat([Buffer.from(GOOD), make(text, 'x', { rsv: 7 })])]
  },
  {
    name: 'A17 a second request after an accepted one',
    against: 'server',
    at: 'request',
    end: 'wait',
    bytes: () => [GOOD + SMUGGLED]
  },
  {
    name: 'A17 a handshake after an accepted one',
    against: 'server',
    at: 'request',
    end: 'wait',
    bytes: () => [GOOD + GOOD]
  },
  {
    name: 'A16 a hook with another origin',
    against: 'server',
    at: 'free',
    play: async ({ t }) => {
      const verifyClient = ({ origin, secure, req }) => {
        if (req.url === '/bystander') return true;
        t.log('server', 'asked', origin, secure, req.headers.cookie);
        return origin === 'http://localhost';
      };
      const wss = await t.listen({ verifyClient });
      for (const headers of [
        {},
        { Origin: 'http://evil.example', Cookie: 'session=1' },
        { Origin: 'http://localhost.evil.example' },
        { Origin: ['http://evil.example', 'http://localhost'] },
        { 'Sec-WebSocket-Origin': 'http://localhost', 'Sec-WebSocket-Version': '8' },
        { Origin: 'null' },
        { Origin: '' }
      ]) {
        const { raw } = await t.request(wss._server, { headers });
        raw.finish();
        await raw.rest();
      }
    }
  },
  {
    name: 'A16 a refusal after the client has disconnected',
    against: 'server',
    at: 'free',
    play: async ({ t }) => {
      const asked = [];
      const verifyClient = ({ req }, callback) => {
        if (req.url === '/bystander') callback(true);
        else asked.shift()({ callback, req });
      };
      const wss = await t.listen({ verifyClient });
      for (const answer of [true, false]) {
        const question = new Promise((resolve) => asked.push(resolve));
        const raw = await t.sendRequest(wss._server);
        const { callback, req } = await question;
        const gone = new Promise((resolve) => req.socket.once('close', resolve));
        raw.reset();
        await gone;
        t.attempt('server', 'answered', () => callback(answer));
      }
    }
  },
  {
    name: 'A15 the key of the RFC gets the accept value of the RFC',
    against: 'server',
    at: 'request',
    bytes: () => [upgradeRequest({ headers: { 'Sec-WebSocket-Key': CLIENT_KEY } })]
  }
);

module.exports = attacks;
