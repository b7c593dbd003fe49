'use strict';

// Two ends of a connection in this process, and their transports. Used by the tests and their children.

const { once } = require('node:events');
const transportOf = require('../transport-of.cjs');

/** Milliseconds, enough for a busy machine: no test here measures time. */
const ADDRESS = { host: '127.0.0.1', port: 0 };

/** Arguments for a connection made by the addon directly: a server's, without limits. */
const UNLIMITED = {
  isServer: true,
  autoPong: false,
  maxPayload: 0,
  maxFragments: 0,
  maxBufferedChunks: 0,
  maxPendingAutoPongs: 0,
  skipUTF8Validation: false
};

/**
 * Starts a server.
 *
 * @param {typeof import('ferrows')} library
 * @param {object} [options]
 */
async function listen({ WebSocketServer }, options = {}) {
  const wss = new WebSocketServer({ ...ADDRESS, perMessageDeflate: false, ...options });
  await once(wss, 'listening');
  return wss;
}

/**
 * Connects a client to a server.
 *
 * @param {typeof import('ferrows')} library
 * @param {any} wss
 * @param {object} [options] options of the client
 * @returns {Promise<[server: any, client: any]>}
 */
async function connect({ WebSocket }, wss, options = {}) {
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`, {
    perMessageDeflate: false,
    ...options
  });
  const [[server]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
  return [server, client];
}

/** The transport of a WebSocket. @param {any} ws */
function describeTransport(ws) {
  const { constructor, kind } = transportOf(ws);
  return { transport: constructor.name, isOnThread: kind === 'io_threads' };
}

/**
 * Closes connections and their server, and waits for the end.
 *
 * @param {any} wss
 * @param {any[]} connections
 */
async function end(wss, ...connections) {
  const ends = connections
    .filter((ws) => ws.readyState !== ws.CLOSED)
    .map((ws) => {
      ws.on('error', () => {});
      ws.terminate();
      return once(ws, 'close');
    });
  await Promise.all(ends);
  await new Promise((resolve) => {
    wss.close(resolve);
  });
}

/**
 * Bytes with their own offset and the number of their message.
 *
 * @param {number} message
 * @param {number} length
 */
function pattern(message, length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at >> 8) + at + 31 * message;
  return bytes;
}

module.exports = { UNLIMITED, connect, describeTransport, end, listen, pattern };
