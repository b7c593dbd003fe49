/**
 * Observes a handshake of a library's server with raw bytes, for the target handshake_request. The bytes come over an in-memory
 * pipe into a Node HTTP server that the library uses.
 */

import http from 'node:http';

import { createPipe } from './pipe.mjs';
import { HandshakeTrace } from './handshake-trace.mjs';

/** A selection that depends on the offer. @param {Set<string>} protocols */
const last = (protocols) => [...protocols].pop();

/** @param {any} info */
const noteInfo = ({ origin, secure, req }) =>
  observed.note('verify', origin, secure, req.method, req.url);

/** Arguments of a verifyClient callback. */
const STATUSES = [undefined, 400, 403, 503];

/** Options of servers, selected by number. @type {any[]} */
const OPTIONS = [
  {},
  { perMessageDeflate: true },
  { perMessageDeflate: { serverMaxWindowBits: 10, clientMaxWindowBits: 12 } },
  { perMessageDeflate: { serverNoContextTakeover: false, serverMaxWindowBits: false } },
  { perMessageDeflate: { clientMaxWindowBits: false, clientNoContextTakeover: true } },
  { path: '/chat' },
  { handleProtocols: last, perMessageDeflate: true },
  { handleProtocols: () => false },
  {
    verifyClient: (/** @type {any} */ info) => {
      noteInfo(info);
      return !info.origin?.includes('x');
    }
  },
  {
    clientTracking: false,
    verifyClient: (/** @type {any} */ info, /** @type {any} */ done) => {
      noteInfo(info);
      const { origin = '' } = info;
      const status = STATUSES[origin.length % STATUSES.length];
      setImmediate(() => done(origin === '', status, origin.slice(1), { 'X-Origin': 'no' }));
    }
  },
  { maxPayload: 16, perMessageDeflate: true }
];

/** The current observation: one handshake at a time. */
let observed = new HandshakeTrace();

/** @type {Map<any, http.Server[]>} */
const servers = new Map();

/**
 * @param {any} library
 * @param {number} index of the options; odd multiples listen to wsClientError
 * @returns {http.Server} not listening
 */
function createServer({ WebSocketServer }, index) {
  const server = http.createServer((req, res) => {
    // Not an upgrade: Node's response shows that the library did not handle it.
    observed.note('request', req.method, req.url);
    res.writeHead(426).end();
  });
  const wss = new WebSocketServer({ ...OPTIONS[index % OPTIONS.length], server });
  wss.on('headers', (/** @type {string[]} */ lines, /** @type {any} */ req) => {
    observed.note('headers', [...lines], req.url);
  });
  wss.on('connection', (/** @type {any} */ ws, /** @type {any} */ req) => {
    const { protocol, extensions, readyState, url } = ws;
    observed.note('connection', { protocol, extensions, readyState, url }, req.rawHeaders);
    observed.note('clients', wss.clients?.size, wss.clients?.has(ws));
    observed.watch(ws);
  });
  if (index >= OPTIONS.length) {
    wss.on(
      'wsClientError',
      (/** @type {Error} */ error, /** @type {any} */ socket, /** @type {any} */ req) => {
        observed.note('wsClientError', error.message, req.method, req.url);
        socket.end(`HTTP/1.1 400 ${error.message}\r\n\r\n`);
        socket.once('finish', () => socket.destroy());
      }
    );
  }
  return server;
}

/**
 * @param {any} library
 * @param {Object} input
 * @param {number} input.server number of the options
 * @param {string[]} input.chunks the bytes, as Latin-1, piece by piece
 * @returns {Promise<any>} the events in order, and the response
 */
export async function observeServer(library, { server, chunks }) {
  const index = Math.abs(Math.trunc(server)) % (OPTIONS.length * 2);
  let made = servers.get(library);
  if (!made) servers.set(library, (made = []));
  const host = (made[index] ??= createServer(library, index));

  observed = new HandshakeTrace();
  const { trace, over } = observed;
  const [near, far] = createPipe();
  observed.await(far);
  let answer = '';
  near.on('data', (chunk) => (answer += chunk.toString('latin1')));
  near.on('end', () => near.end());
  host.emit('connection', far);
  for (const chunk of chunks) near.write(Buffer.from(chunk, 'latin1'));
  near.end();
  await over;
  near.destroy();
  return { answer: answer.replace(/\r\nDate: [^\r]*/, ''), trace };
}
