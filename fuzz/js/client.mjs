/**
 * Observes how the client of a library opens a connection: for the targets handshake_response and client_url. It
 * connects to a pipe in memory, whose other end answers raw bytes.
 */

import { createHash } from 'node:crypto';

import { createPipe } from './pipe.mjs';
import { describeError } from './libraries.mjs';
import { Sightings } from './sightings.mjs';

/** In that field of an answer, it stands for the value that belongs to the key (RFC 6455, section 1.3). */
export const ACCEPT = '<accept>';
const PLACE = /(?<=sec-websocket-accept:[^\r\n]*)<accept>/gi;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = /(?<=sec-websocket-key: )[^\r]*/i;

/** Options of clients; an input chooses by number. @type {any[]} */
const OPTIONS = [
  {},
  { perMessageDeflate: false },
  { perMessageDeflate: { clientMaxWindowBits: 10, serverMaxWindowBits: 12 } },
  { perMessageDeflate: { clientMaxWindowBits: false, clientNoContextTakeover: false } },
  { perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true } },
  { followRedirects: true, maxRedirects: 2 },
  { followRedirects: true, auth: 'b:c', headers: { Cookie: 'a', Authorization: 'd', Host: 'e' } },
  { protocolVersion: 8, origin: 'http://a' },
  { headers: { 'X-A': 'b' }, maxPayload: 16 }
];

/** What a program does on `unexpected-response`; the rounds over the options take turns. @type {any[]} */
const LISTENERS = [
  null,
  (/** @type {any} */ ws) => ws.terminate(),
  (/** @type {any} */ _ws, /** @type {any} */ req) => req.destroy(new Error('unexpected')),
  (/** @type {any} */ ws) => ws.close(1000)
];

/** What of the options of a connection says where it goes. */
const WHERE = [
  'host',
  'port',
  'path',
  'socketPath',
  'servername',
  'auth',
  'defaultPort',
  'timeout'
];

/**
 * @param {any} library
 * @param {Object} input
 * @param {any} input.address
 * @param {any} input.protocols
 * @param {number} input.client which options
 * @param {string[]} input.answers the bytes, as Latin-1, for one connection after the other
 * @returns {Promise<any>} what happened, in order
 */
export async function observeClient({ WebSocket }, { address, protocols, client, answers }) {
  const index = Math.abs(Math.trunc(client));
  const sightings = new Sightings();
  const { trace } = sightings;
  let connections = 0;

  const createConnection = (/** @type {any} */ options) => {
    const [near, far] = createPipe();
    const where = WHERE.map((name) => `${name} ${options[name]}`);
    const exchange = { where, request: '' };
    sightings.note('connect', exchange);
    sightings.await(near);
    answer(far, exchange, answers[connections++] ?? '');
    return near;
  };

  let ws;
  try {
    ws = new WebSocket(address, protocols, {
      ...structuredClone(OPTIONS[index % OPTIONS.length]),
      createConnection,
      generateMask: () => {}
    });
  } catch (error) {
    return { thrown: describeError(error), trace };
  }
  sightings.watch(ws);
  ws.on('upgrade', (/** @type {any} */ res) => sightings.note('upgrade', res.statusCode));
  ws.on('open', () => {
    const { protocol, readyState } = ws;
    const deflate = ws._extensions['permessage-deflate'];
    sightings.note('open', protocol, ws.extensions, readyState, deflate?.params);
  });
  const round = Math.floor(index / OPTIONS.length) % LISTENERS.length;
  const listener = LISTENERS[round];
  // With a listener, credentials are not dropped.
  if (round % 2 === 1) {
    ws.on('redirect', (/** @type {string} */ to, /** @type {any} */ req) => {
      sightings.note('redirect', to, req.getHeaderNames());
    });
  }
  if (listener) {
    ws.on('unexpected-response', (/** @type {any} */ req, /** @type {any} */ res) => {
      sightings.note('unexpected-response', res.statusCode, ws.readyState);
      listener(ws, req);
    });
  }
  await sightings.over;
  const { protocol, extensions, readyState } = ws;
  return { trace, url: ws.url, protocol, extensions, readyState };
}

/**
 * Plays the server on one connection: reads a request, answers, and ends.
 *
 * @param {import('node:stream').Duplex} socket
 * @param {{ request: string }} exchange what comes is added, without the key
 * @param {string} text the answer
 */
function answer(socket, exchange, text) {
  let received = '';
  let isAnswered = false;
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    exchange.request = received.replace(KEY, '<key>');
    if (isAnswered || !received.includes('\r\n\r\n')) return;
    isAnswered = true;
    const key = KEY.exec(received)?.[0] ?? '';
    const accept = createHash('sha1')
      .update(key + GUID)
      .digest('base64');
    socket.end(Buffer.from(text.replace(PLACE, accept), 'latin1'));
  });
  socket.on('end', () => socket.end());
}
