// Every request that the addon accepts as an upgrade is one for Node's parser, with the same fields: a catalog of heads, and
// random mutations of them. A request that the addon refuses needs no test here: Node answers it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';
import { mutateText } from '../../fuzz/js/mutation.mjs';
import { Random } from '../../fuzz/js/random.mjs';
import { Listening } from './listening.js';

const ROUNDS = 3000;

const LINE = 'GET /chat?room=1&x=%20 HTTP/1.1\r\n';
const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';

/** Each with true if the addon accepts it. @type {[string, boolean][]} */
const CATALOG = [
  [`${LINE}Host: a.example:80\r\n${UPGRADE}${KEY}\r\n`, true],
  [`${LINE}${UPGRADE}\r\n`, true],
  [`${LINE}Host: a\r\nConnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n${KEY}\r\n`, true],
  [`${LINE}CONNECTION: UPGRADE,KEEP-ALIVE\r\nUPGRADE: WEBSOCKET\r\n\r\n`, true],
  [`${LINE}${UPGRADE}${KEY}\r\n\x81\x80\0\0\0\0`, true],
  [`${LINE}${UPGRADE}A:b\r\nC: \t d \t e \t\r\nF:\r\nG: \t \r\nH: i:j\r\n\r\n`, true],
  [`${LINE}${UPGRADE}A: caf\xe9 \x80\xff\r\nA: 2\r\na: 3\r\n\r\n`, true],
  [`${LINE}${UPGRADE}!#$%&'*+-.^_\`|~09: a\r\n\r\n`, true],
  [
    `${LINE}${UPGRADE}A: ${String.fromCharCode(...Array.from({ length: 95 }, (_, at) => 32 + at))}\r\n\r\n`,
    true
  ],
  [`GET /!$%&'()*+,-./:;=?@[]_~ HTTP/1.1\r\n${UPGRADE}\r\n`, true],
  [`GET /"<>\\^\`{|} HTTP/1.1\r\n${UPGRADE}\r\n`, true],
  [`GET //a?b?c/../. HTTP/1.1\r\n${UPGRADE}\r\n`, true],
  [`${LINE}${UPGRADE}${'A: b\r\n'.repeat(62)}\r\n`, true],
  [`${LINE}${UPGRADE}A: ${'b'.repeat(16000)}\r\n\r\n`, true],
  [`GET /${'a'.repeat(16000)} HTTP/1.1\r\n${UPGRADE}\r\n`, true],
  [
    `${LINE}${UPGRADE}Keep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: a\r\nCookie: a=b\r\n\r\n`,
    true
  ],
  [
    `${LINE}${UPGRADE}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n`,
    true
  ],
  // Similar heads that fall back.
  [`${LINE}${UPGRADE}A: ${'b'.repeat(16400)}\r\n\r\n`, false],
  [`${LINE}${UPGRADE}${'A: b\r\n'.repeat(63)}\r\n`, false],
  [`${LINE}Upgrade: websocket\r\nConnection: keep-alive\r\n\r\n`, false],
  // Node's parser does not know an option with a tab behind it.
  [`${LINE}Upgrade: websocket\r\nConnection: Upgrade\t\r\n\r\n`, false],
  [`${LINE}Upgrade: websocket\r\nConnection: Upgrade\t, keep-alive\r\n\r\n`, false],
  [`${LINE}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n`, false],
  [`${LINE}${UPGRADE}${UPGRADE}\r\n`, false],
  [`${LINE}${UPGRADE}Content-Length: 2\r\n\r\nhi`, false],
  [`${LINE}${UPGRADE}Transfer-Encoding: chunked\r\n\r\n`, false],
  [`${LINE}${UPGRADE}A: b\r\n c\r\n\r\n`, false],
  [`${LINE}${UPGRADE}A : b\r\n\r\n`, false],
  [`${LINE}${UPGRADE}A: b\n\r\n`, false],
  [`\r\n${LINE}${UPGRADE}\r\n`, false],
  [`GET /#a HTTP/1.1\r\n${UPGRADE}\r\n`, false],
  [`GET http://a/ HTTP/1.1\r\n${UPGRADE}\r\n`, false],
  [`POST / HTTP/1.1\r\n${UPGRADE}\r\n`, false],
  [`GET / HTTP/1.0\r\n${UPGRADE}\r\n`, false]
];

/** Tokens with a meaning in a head. */
const WORDS = [
  '\r\n',
  '\n',
  '\r',
  ': ',
  ':',
  ' ',
  '\t',
  ', ',
  'Upgrade',
  'websocket',
  'Connection',
  'keep-alive',
  'close',
  'Host: b\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Expect: 100-continue\r\n',
  'Proxy-Connection: upgrade\r\n',
  'X-Odd: \r\n',
  ' HTTP/1.1',
  'HTTP/1.0',
  'GET ',
  '/',
  '#',
  '%',
  '\r\n\r\n',
  '\r\n ',
  UPGRADE,
  KEY
];

/** Node's parse of a request. @typedef {{ method: string, url: string, httpVersion: string, rawHeaders: string[], head: string }} Seen */

/** A server of Node that reports upgrades. @param {test.TestContext} t */
async function startNode(t) {
  const server = createServer((_req, res) => res.end());
  server.on('upgrade', ({ method, url, httpVersion, rawHeaders, socket }, _socket, head) => {
    const port = socket.remotePort;
    server.emit(`of ${port}`, { method, url, httpVersion, rawHeaders, head: head.latin1Slice() });
    socket.destroy();
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());

  /** @param {string} bytes @returns {Promise<Seen | undefined>} undefined: not an upgrade for Node */
  return async (bytes) => {
    const client = connect(server.address().port, '127.0.0.1').on('error', () => {});
    await once(client, 'connect');
    /** @type {Seen | undefined} */
    let seen;
    server.once(`of ${client.localPort}`, (value) => {
      seen = value;
    });
    client.resume().end(bytes, 'latin1');
    await once(client, 'close');
    return seen;
  };
}

/** The addon's parse of a request. @param {Listening} listening @param {string} bytes */
async function ask(listening, bytes) {
  const client = await listening.connect();
  client.on('error', () => {});
  client.end(bytes, 'latin1');
  return { client, arrival: await listening.next() };
}

test('each upgrade for the addon is one for Node, with the same fields', async (t) => {
  const [listening, byNode] = [new Listening(t), await startNode(t)];
  const random = new Random(8);
  const known = CATALOG.map(([bytes]) => bytes);

  /** @param {string} bytes @returns {Promise<boolean>} true if the addon accepts it */
  const check = async (bytes) => {
    const { client, arrival } = await ask(listening, bytes);
    listening.listener.discard(arrival.number);
    client.destroy();
    const { head, rawHeaders, rest } = arrival;
    if (head === undefined) return false;
    assert.equal(head + rest, bytes);
    const url = head.slice(4, head.indexOf(' ', 4));
    assert.deepEqual(await byNode(bytes), {
      method: 'GET',
      url,
      httpVersion: '1.1',
      rawHeaders,
      head: rest
    });
    return true;
  };

  for (const [bytes, isTaken] of CATALOG) {
    assert.equal(await check(bytes), isTaken, JSON.stringify(bytes));
  }
  let taken = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let bytes = random.pick(known);
    for (let changes = 1 + random.below(3); changes > 0; changes--) {
      bytes = mutateText(bytes, random, WORDS, random.pick(known));
    }
    if (bytes !== '' && (await check(bytes))) taken++;
  }
  // Enough to prove something.
  assert.ok(taken > ROUNDS / 10, `${taken}`);
});
