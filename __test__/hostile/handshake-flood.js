'use strict';

// Clients that send an invalid, incomplete or oversized handshake to a listening server, and return the response.
// handshake-flood.test.js runs all of them at once; catalog/requests.js compares single ones in detail.

const { once } = require('node:events');
const net = require('node:net');
const { KEY, OPCODE, frame } = require('../differential/frames');
const { RawPeer, upgradeRequest } = require('../differential/raw-peer');
const { answerText } = require('../differential/snapshots');
const { nextIteration } = require('./event-loop');

const { text } = OPCODE;

const GOOD = upgradeRequest();
const PLAIN = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** Meaningless bytes, the same in every run. @param {number} length */
function garbage(length) {
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

/** Sent in one segment by clients that then wait for the server to disconnect. */
const REQUESTS = /** @type {Record<string, string | Uint8Array>} */ ({
  'a line of 64 KiB': 'G'.repeat(65_536),
  'a target of 64 KiB': upgradeRequest({ target: `/${'x'.repeat(65_536)}` }),
  'a header of 64 KiB': upgradeRequest({ headers: { 'X-Long': 'x'.repeat(65_536) } }),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a TLS hello': Buffer.from(`16030100c8010000c40303${'00'.repeat(200)}`, 'hex'),
  garbage: garbage(300),
  'a frame': frame(text, 'hello', { key: KEY }),
  'NUL bytes': Buffer.alloc(64),
  'HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'HTTP/9': upgradeRequest({ version: '9.9' }),
  'no key': upgradeRequest({ headers: { 'Sec-WebSocket-Key': null } }),
  'another version': upgradeRequest({ headers: { 'Sec-WebSocket-Version': '7' } }),
  'another method': upgradeRequest({ method: 'DELETE' }),
  'requests in a pipeline': PLAIN.repeat(10) + LAST,
  'a plain request, then garbage': Buffer.concat([Buffer.from(PLAIN), garbage(100)]),
  'a handshake, then garbage': Buffer.concat([Buffer.from(GOOD), Buffer.alloc(100, 0xff)]),
  'a folded header': upgradeRequest({ headers: { 'X-Odd': 'a\r\n b' } }),
  'two lengths': upgradeRequest({ headers: { 'Content-Length': ['1', '2'] } })
});

/** Clients that disconnect by themselves. */
const DISCONNECTS = /** @type {[name: string, bytes: string, how: 'finish' | 'reset'][]} */ ([
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
 * Opens a plain connection to the server.
 *
 * @param {number} port
 * @returns {Promise<RawPeer>}
 */
async function connect(port) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const raw = new RawPeer(socket, false);
  await once(socket, 'connect');
  return raw;
}

/** Reads until the server's FIN, then closes. @param {RawPeer} raw */
async function readToEnd(raw) {
  const bytes = await raw.rest();
  raw.finish();
  await raw.gone();
  return answerText(bytes);
}

/** @typedef {(port: number) => Promise<string>} Client resolves with the response when its connection is over */

/** @type {Record<string, Client>} */
const CLIENTS = {
  async 'a thousand headers'(port) {
    const raw = await connect(port);
    raw.write(upgradeRequest({ headers: THOUSAND }));
    raw.close(1000);
    return readToEnd(raw);
  },
  async 'headers without end'(port) {
    const raw = await connect(port);
    raw.write(GOOD.slice(0, -2));
    for (let sent = 0; sent < 40 && !raw.ended && !raw.closed; sent++) {
      raw.write(`X-Endless-${sent}: ${'x'.repeat(1000)}\r\n`);
      await nextIteration();
    }
    return readToEnd(raw);
  },
  async 'a handshake byte by byte'(port) {
    const raw = await connect(port);
    for (const byte of Buffer.from(GOOD)) {
      raw.write(Uint8Array.of(byte));
      await nextIteration();
    }
    raw.close(1000);
    return readToEnd(raw);
  }
};

for (const [name, bytes] of Object.entries(REQUESTS)) {
  CLIENTS[name] = async (port) => {
    const raw = await connect(port);
    raw.write(bytes);
    return readToEnd(raw);
  };
}

for (const [name, bytes, how] of DISCONNECTS) {
  CLIENTS[name] = async (port) => {
    const raw = await connect(port);
    if (bytes) await new Promise((resolve) => raw.socket.write(bytes, resolve));
    raw[how]();
    const answer = how === 'finish' ? answerText(await raw.rest()) : 'not read';
    await raw.gone();
    return answer;
  };
}

module.exports = { GOOD, CLIENTS, connect };
