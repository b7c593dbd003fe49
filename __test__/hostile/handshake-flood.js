'use strict';

// Bad guests at the door of a server that listens by itself: each opens a connection, says what is no handshake, or only a part, or
// too much, and tells what it was answered. door.test.js lets them all come at once. What a single one is answered in every detail is
// in catalog/requests.js.

const { once } = require('node:events');
const net = require('node:net');
const { KEY, OPCODE, frame } = require('../differential/frames');
const { RawPeer, upgradeRequest } = require('../differential/raw-peer');
const { answerText } = require('../differential/snapshots');
const { turn } = require('./turn');

const { text } = OPCODE;

const GOOD = upgradeRequest();
const PLAIN = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** Bytes that are the same in every run, and mean nothing. @param {number} length */
function noise(length) {
  const bytes = Buffer.alloc(length);
  let state = 0x2545f491;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

const THOUSAND = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`X-${i}`, 'x']));

/** What is sent in one segment by guests who then wait for the server to hang up. */
const SAID = /** @type {Record<string, string | Uint8Array>} */ ({
  'a line of 64 KiB': 'G'.repeat(65_536),
  'a target of 64 KiB': upgradeRequest({ target: `/${'x'.repeat(65_536)}` }),
  'a header of 64 KiB': upgradeRequest({ headers: { 'X-Long': 'x'.repeat(65_536) } }),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a TLS hello': Buffer.from(`16030100c8010000c40303${'00'.repeat(200)}`, 'hex'),
  noise: noise(300),
  'a frame': frame(text, 'hello', { key: KEY }),
  'NUL bytes': Buffer.alloc(64),
  'HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'HTTP/9': upgradeRequest({ version: '9.9' }),
  'no key': upgradeRequest({ headers: { 'Sec-WebSocket-Key': null } }),
  'another version': upgradeRequest({ headers: { 'Sec-WebSocket-Version': '7' } }),
  'another method': upgradeRequest({ method: 'DELETE' }),
  'requests in a pipeline': PLAIN.repeat(10) + LAST,
  'a plain request, then noise': Buffer.concat([Buffer.from(PLAIN), noise(100)]),
  'a handshake, then noise': Buffer.concat([Buffer.from(GOOD), Buffer.alloc(100, 0xff)]),
  'a folded header': upgradeRequest({ headers: { 'X-Odd': 'a\r\n b' } }),
  'two lengths': upgradeRequest({ headers: { 'Content-Length': ['1', '2'] } })
});

/** Guests who leave by themselves. */
const LEFT = /** @type {[name: string, said: string, how: 'finish' | 'reset'][]} */ ([
  ['nothing, and FIN', '', 'finish'],
  ['nothing, and RST', '', 'reset'],
  ['half a line, and FIN', 'GET /ha', 'finish'],
  ['half a line, and RST', 'GET /ha', 'reset'],
  ['half a handshake, and FIN', GOOD.slice(0, 90), 'finish'],
  ['half a handshake, and RST', GOOD.slice(0, 90), 'reset'],
  ['a handshake, and FIN', GOOD, 'finish'],
  ['a handshake, and RST', GOOD, 'reset'],
  ['half a body, and FIN', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf', 'finish'],
  ['half a body, and RST', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf', 'reset']
]);

/**
 * A connection to the server, as a bare peer.
 *
 * @param {number} port
 * @returns {Promise<RawPeer>}
 */
async function enter(port) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const raw = new RawPeer(socket, false);
  await once(socket, 'connect');
  socket.setNoDelay(true);
  return raw;
}

/** Waits for all that the server says, and goes. @param {RawPeer} raw */
async function leave(raw) {
  const bytes = await raw.rest();
  raw.finish();
  await raw.gone();
  return answerText(bytes);
}

/** @typedef {(port: number) => Promise<string>} Guest resolves with what was answered, when its connection is over */

/** @type {Record<string, Guest>} */
const GUESTS = {
  async 'a thousand headers'(port) {
    const raw = await enter(port);
    raw.write(upgradeRequest({ headers: THOUSAND }));
    raw.close(1000);
    return leave(raw);
  },
  async 'headers without end'(port) {
    const raw = await enter(port);
    raw.write(GOOD.slice(0, -2));
    for (let sent = 0; sent < 40 && !raw.ended && !raw.closed; sent++) {
      raw.write(`X-Endless-${sent}: ${'x'.repeat(1000)}\r\n`);
      await turn();
    }
    return leave(raw);
  },
  async 'a handshake byte by byte'(port) {
    const raw = await enter(port);
    for (const byte of Buffer.from(GOOD)) {
      raw.write(Uint8Array.of(byte));
      await turn();
    }
    raw.close(1000);
    return leave(raw);
  }
};

for (const [name, said] of Object.entries(SAID)) {
  GUESTS[name] = async (port) => {
    const raw = await enter(port);
    raw.write(said);
    return leave(raw);
  };
}

for (const [name, said, how] of LEFT) {
  GUESTS[name] = async (port) => {
    const raw = await enter(port);
    if (said) await new Promise((resolve) => raw.socket.write(said, resolve));
    raw[how]();
    const answer = how === 'finish' ? answerText(await raw.rest()) : 'not waited for';
    await raw.gone();
    return answer;
  };
}

module.exports = { GOOD, GUESTS, enter };
