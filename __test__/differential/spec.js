'use strict';

// What the scenarios are about: the statements of the specification, the attack classes, and the rows of the table of the
// public API, each with a short title. A scenario belongs to the statement that its name begins with; `also` names
// scenarios (by the beginning of their names) that belong to another statement and show this one too.
// Used by statements.test.js and scripts/compatibility.mjs; knows nothing of the runs.

/** @typedef {{ id: string, title: string, also?: string[] }} Statement */

/** @type {Statement[]} */
const STATEMENTS = [
  { id: 'C1', title: 'the constructor is synchronous: it throws, or the request is made' },
  { id: 'C2', title: 'schemes, default ports and the url that is shown' },
  { id: 'C3', title: 'brackets of IPv6, ports in Host' },
  { id: 'C4', title: 'request line and headers' },
  { id: 'C5', title: 'names of subprotocols' },
  { id: 'C6', title: 'ws+unix: addresses' },
  { id: 'C7', title: 'createConnection, agents, proxies, TLS and SNI' },
  { id: 'C8', title: 'upgrade, open, then frames of the same packet' },
  { id: 'C9', title: 'closing in an upgrade listener' },
  { id: 'C10', title: 'checks of the 101 and their order' },
  { id: 'C11', title: 'handshakeTimeout' },
  { id: 'C12', title: 'answers other than 101' },
  { id: 'C13', title: 'failures of the network before the 101' },
  { id: 'C14', title: 'close() and terminate() while connecting' },
  { id: 'C15', title: 'redirects' },
  { id: 'C16', title: 'credentials after redirects' },
  { id: 'C17', title: 'protocol version 8' },
  { id: 'C18', title: 'other properties and overridden methods' },

  { id: 'S1', title: 'send by state' },
  { id: 'S2', title: 'types of data' },
  { id: 'S3', title: 'the binary option' },
  { id: 'S4', title: 'fragments' },
  { id: 'S5', title: 'the compress option' },
  { id: 'S6', title: 'threshold of compression' },
  { id: 'S7', title: 'first in, first out' },
  { id: 'S8', title: 'masking' },
  { id: 'S9', title: 'when a Buffer may be changed again' },
  { id: 'S10', title: 'callbacks' },
  { id: 'S11', title: 'ping and pong: data and arguments' },
  { id: 'S12', title: 'Blobs that cannot be read' },
  { id: 'S13', title: 'return values' },

  { id: 'R1', title: 'binaryType' },
  { id: 'R2', title: 'UTF-8 of whole messages' },
  { id: 'R3', title: 'events of one chunk, and microtasks' },
  { id: 'R4', title: 'data behind a close frame' },
  { id: 'R5', title: 'empty messages and fragments' },
  { id: 'R6', title: 'delivered memory belongs to the listener', also: ['A20 delivered memory'] },
  { id: 'R7', title: 'message data are Buffers' },
  { id: 'R8', title: 'lengths and sizes of frames' },
  { id: 'R9', title: 'exceptions of listeners' },

  { id: 'E1', title: 'protocol errors: order of checks, codes, states' },
  { id: 'E2', title: 'one error, then close' },
  { id: 'E3', title: 'errors of the socket after open' },
  { id: 'E4', title: 'FIN without a close frame' },
  { id: 'E5', title: 'close frames with and without a body' },
  { id: 'E6', title: 'codes that must not be received', also: ['E1 WS_ERR_INVALID_CLOSE_CODE'] },
  { id: 'E7', title: 'maxPayload', also: ['E1 WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'] },

  { id: 'K1', title: 'ready states' },
  { id: 'K2', title: 'close() and closeTimeout' },
  { id: 'K3', title: 'close() again' },
  { id: 'K4', title: 'the closing handshake' },
  { id: 'K5', title: 'close comes last' },
  { id: 'K6', title: 'messages after close()' },
  { id: 'K7', title: 'terminate()' },
  { id: 'K8', title: 'wasClean' },
  { id: 'K9', title: 'closing while paused' },

  { id: 'B1', title: 'what bufferedAmount counts' },
  { id: 'B2', title: 'bufferedAmount after a send' },
  { id: 'B3', title: 'bufferedAmount without a socket' },
  { id: 'B4', title: 'bufferedAmount under backpressure' },

  { id: 'Q1', title: 'pause() and resume()' },
  { id: 'Q2', title: 'resume() while a message is inflated' },
  { id: 'Q3', title: 'writing while paused' },
  { id: 'Q4', title: 'unref' },

  { id: 'H1', title: 'port mode' },
  { id: 'H2', title: 'server mode' },
  { id: 'H3', title: 'checks of handleUpgrade and the answers' },
  { id: 'H4', title: 'wsClientError' },
  { id: 'H5', title: 'what happens on success, and in which order' },
  { id: 'H6', title: 'choice of the subprotocol' },
  { id: 'H7', title: 'head, and sockets that are any Duplex' },
  { id: 'H8', title: 'timeout and Nagle of the socket' },
  { id: 'H9', title: 'maxHeadersCount' },
  { id: 'H10', title: 'clients that leave while verifyClient thinks' },
  { id: 'H11', title: 'exceptions of hooks' },

  { id: 'W1', title: 'close() leaves connections alone' },
  { id: 'W2', title: 'when close is emitted' },
  { id: 'W3', title: 'callbacks of close()' },
  { id: 'W4', title: 'the set of clients' },

  { id: 'P1', title: 'automatic pongs' },
  { id: 'P2', title: 'maxPendingAutoPongs' },
  { id: 'P3', title: 'nothing is sent or ended by itself' },

  { id: 'T1', title: 'addEventListener' },
  { id: 'T2', title: 'removeEventListener' },
  { id: 'T3', title: 'on<type> properties' },
  { id: 'T4', title: 'classes of events' },
  { id: 'T5', title: 'defaults of events' },

  { id: 'D1', title: 'options of the stream' },
  { id: 'D2', title: 'one write, one message' },
  { id: 'D3', title: 'the readable side' },
  { id: 'D4', title: 'backpressure' },
  { id: 'D5', title: 'before open, end, the end of the peer' },
  { id: 'D6', title: 'errors and destroy()' },
  { id: 'D7', title: 'errors that nobody listens for' },
  { id: 'D8', title: 'the socket under the stream' },

  { id: 'X1', title: 'async context of events' },
  { id: 'X2', title: 'async context of callbacks' },
  { id: 'X3', title: 'contexts kept apart by connection and by call' },

  { id: 'A1', title: 'decompression bombs' },
  { id: 'A2', title: 'lengths that are only announced' },
  { id: 'A3', title: 'floods of tiny fragments', also: ['E1 WS_ERR_TOO_MANY_BUFFERED_PARTS'] },
  {
    id: 'A4',
    title: 'floods of tiny segments',
    also: ['E1 too many buffered chunks', 'R8 one byte']
  },
  { id: 'A5', title: 'floods of pings', also: ['P2'] },
  { id: 'A6', title: 'peers that do not read', also: ['B4', 'B1 bytes that were queued'] },
  { id: 'A7', title: 'slow handshakes', also: ['C11'] },
  { id: 'A8', title: 'headers: number, size, names', also: ['H9', '1.9 extension'] },
  { id: 'A9', title: 'header injection' },
  { id: 'A10', title: 'invalid UTF-8 at every cut', also: ['R2', 'E1 WS_ERR_INVALID_UTF8'] },
  { id: 'A11', title: 'wrong masks', also: ['E1 order of checks', 'S8 the'] },
  {
    id: 'A12',
    title: 'reserved bits and opcodes',
    also: ['E1 WS_ERR_UNEXPECTED', 'E1 WS_ERR_INVALID_OPCODE']
  },
  {
    id: 'A13',
    title: 'broken control frames',
    also: ['E1 WS_ERR_INVALID_CONTROL', 'E1 WS_ERR_EXPECTED_FIN', 'E1 WS_ERR_INVALID_CLOSE', 'R4']
  },
  { id: 'A14', title: 'randomness of masking keys', also: ['S8 generateMask'] },
  {
    id: 'A15',
    title: 'Sec-WebSocket-Key and -Accept',
    also: ['C4 every client', 'C10 a 101 with', 'H3']
  },
  { id: 'A16', title: 'origin, and refusals that come late', also: ['H5 verifyClient', 'H10'] },
  { id: 'A17', title: 'requests behind requests' },
  { id: 'A18', title: 'credentials leaked by redirects', also: ['C16'] },
  { id: 'A19', title: 'uninitialized memory', also: ['K2 close() with a bad'] },
  { id: 'A20', title: 'memory shared with the caller or the listener', also: ['R6', 'S8 masking'] },
  { id: 'A21', title: 'memory pinned by small values' },
  { id: 'A22', title: 'peers that never finish closing', also: ['K2 closeTimeout', 'K9'] },
  { id: 'A23', title: 'compression as a side channel' },
  { id: 'A24', title: 'exhaustion by zlib state' },
  {
    id: 'A25',
    title: 'ends of every kind while input and output go on',
    also: ['W2 worker threads']
  },

  { id: 'Z1', title: 'compressed messages on the wire' },
  { id: 'Z2', title: 'final blocks' },
  { id: 'Z3', title: 'context that is kept, and context that is given up' },
  { id: 'Z4', title: 'many connections that compress at once' },
  { id: 'Z5', title: 'ends while a message is compressed' },
  { id: 'Z6', title: 'windows of every size' },

  { id: '1.2', title: 'exports' },
  { id: '1.3', title: 'WebSocket: options, members, events' },
  { id: '1.4', title: 'WebSocketServer: options, members, events' },
  { id: '1.5', title: 'createWebSocketStream', also: ['D'] },
  { id: '1.6', title: 'PerMessageDeflate: by itself, and its options' },
  { id: '1.7', title: 'Receiver by itself', also: ['3.1 Receiver by itself'] },
  { id: '1.8', title: 'Sender by itself' },
  { id: '1.9', title: 'extension and subprotocol', also: ['1.8 Sender.frame, extension'] },
  { id: '1.11', title: 'errors', also: ['E1', 'C1 options that throw', 'C10', 'C12', 'C13'] },
  { id: '3.1', title: 'private members that others rely on', also: ['H7 setSocket'] },
  { id: '3.2', title: 'files of lib/ that others load by path' }
];

/**
 * The statement that a scenario belongs to.
 *
 * @param {string} name of a scenario
 * @returns {string}
 */
const idOf = (name) => name.split(' ', 1)[0];

/**
 * Whether a scenario is one of those named by a beginning; `H1` does not name `H10`.
 *
 * @param {string} name
 * @param {string} beginning
 * @returns {boolean}
 */
const begins = (name, beginning) =>
  name.startsWith(beginning) && !/^\d\d/.test(beginning.slice(-1) + name.charAt(beginning.length));

/**
 * @param {Statement} statement
 * @param {string[]} names of all scenarios
 * @returns {string[]} those that show it: its own, and those of other statements
 */
function showing({ id, also = [] }, names) {
  return names.filter(
    (name) => idOf(name) === id || also.some((beginning) => begins(name, beginning))
  );
}

module.exports = { STATEMENTS, begins, idOf, showing };
