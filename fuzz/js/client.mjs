/**
 * Observes an opening handshake of a library's client, for the targets handshake_response and client_url. The client connects
 * to an in-memory pipe whose other end sends raw bytes.
 */

import { createHash } from 'node:crypto';

import { createPipe } from './pipe.mjs';
import { describeError } from './libraries.mjs';
import { HandshakeTrace } from './handshake-trace.mjs';

/** A placeholder in a response for the value that matches the key (RFC 6455, section 1.3). */
export const ACCEPT = '<accept>';
const PLACE = /(?<=sec-websocket-accept:[^\r\n]*)<accept>/gi;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = /(?<=sec-websocket-key: )[^\r]*/i;

/** Options of clients, selected by number. @type {any[]} */
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

/** Listeners of `unexpected-response`, selected by number / number of options. @type {any[]} */
const LISTENERS = [
  null,
  (/** @type {any} */ ws) => ws.terminate(),
  (/** @type {any} */ _ws, /** @type {any} */ req) => req.destroy(new Error('unexpected')),
  (/** @type {any} */ ws) => ws.close(1000)
];

/** The options of a connection that determine its target. */
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
 * @param {number} input.client number of the options
 * @param {string[]} input.answers the response bytes, as Latin-1, for one connection after the other
 * @returns {Promise<any>} the events in order
 */
export async function observeClient({ WebSocket }, { address, protocols, client, answers }) {
  const index = Math.abs(Math.trunc(client));
  const recorder = new HandshakeTrace();
  const { trace } = recorder;
  let connections = 0;

  const createConnection = (/** @type {any} */ options) => {
    const [near, far] = createPipe();
    const where = WHERE.map((name) => `${name} ${options[name]}`);
    const exchange = { where, request: '' };
    recorder.note('connect', exchange);
    recorder.await(near);
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
  recorder.watch(ws);
  ws.on('upgrade', (/** @type {any} */ res) => recorder.note('upgrade', res.statusCode));
  ws.on('open', () => {
    const { protocol, readyState } = ws;
    const deflate = ws._extensions['permessage-deflate'];
    recorder.note('open', protocol, ws.extensions, readyState, deflate?.params);
  });
  const round = Math.floor(index / OPTIONS.length) % LISTENERS.length;
  const listener = LISTENERS[round];
  // With a listener, credentials are kept.
  if (round % 2 === 1) {
    ws.on('redirect', (/** @type {string} */ to, /** @type {any} */ req) => {
      recorder.note('redirect', to, req.getHeaderNames());
    });
  }
  if (listener) {
    ws.on('unexpected-response', (/** @type {any} */ req, /** @type {any} */ res) => {
      recorder.note('unexpected-response', res.statusCode, ws.readyState);
      listener(ws, req);
    });
  }
  await recorder.over;
  const { protocol, extensions, readyState } = ws;
  return { trace, url: ws.url, protocol, extensions, readyState };
}

/**
 * The server side of one connection: reads a request, responds, and ends.
 *
 * @param {import('node:stream').Duplex} socket
 * @param {{ request: string }} exchange receives the request, without the key
 * @param {string} text the response
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
