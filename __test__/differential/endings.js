'use strict';

// The ways in which a server's connection can end, each performed by a raw client. Scenarios about the state of sockets and
// requests after the end run once for each.

const { OPCODE } = require('./frames');

/**
 * @typedef {object} Accepted
 * @property {any} wss
 * @property {any} ws the server's end
 * @property {any} request
 * @property {import('./raw-peer').RawPeer} raw the client
 */

/**
 * Each resolves when its own part is done, not when the connection has ended.
 *
 * @type {Record<string, (accepted: Accepted) => Promise<void> | void>}
 */
const ENDINGS = {
  async 'the client closes'({ raw }) {
    raw.close(1000, 'done');
    await raw.framesThrough(OPCODE.close);
    await raw.rest();
    raw.finish();
  },
  async 'the server closes'({ raw, ws }) {
    ws.close(1001, 'away');
    await raw.framesThrough(OPCODE.close);
    raw.close(1001, 'away');
    await raw.rest();
    raw.finish();
  },
  async 'the server closes, without a response'({ raw, ws }) {
    ws.close(1001, 'away');
    await raw.framesThrough(OPCODE.close);
    await raw.rest();
    raw.finish();
  },
  async 'the server terminates'({ raw, ws }) {
    ws.terminate();
    await raw.rest();
    raw.finish();
  },
  'the client resets'({ raw }) {
    raw.reset();
  },
  async 'the client finishes without a close frame'({ raw }) {
    raw.finish();
    await raw.rest();
  },
  async 'the client breaks the protocol'({ raw }) {
    raw.send(3, 'no such frame');
    await raw.framesThrough(OPCODE.close);
    raw.finish();
    await raw.rest();
  },
  async 'the server ends the raw socket'({ raw, ws }) {
    ws._socket.end();
    await raw.rest();
    raw.finish();
  },
  async 'the server destroys the raw socket'({ raw, ws }) {
    ws._socket.destroy();
    await raw.rest();
    raw.finish();
  }
};

/** Server options of single endings: short timeouts. */
const OPTIONS = { 'the server closes, without a response': { closeTimeout: 25 } };

/**
 * Opens a connection of a raw client to a server.
 *
 * @param {import('./context').Context} t
 * @param {{ ending?: string, change?: object, onConnection?: (ws: any, request: any, wss: any) => void }} [how] ending: a key of ENDINGS;
 *   change: of the request; onConnection: a listener of `connection`
 * @returns {Promise<Accepted>}
 */
async function acceptRaw(t, { ending, change, onConnection } = {}) {
  const wss = await t.listen(OPTIONS[ending]);
  if (onConnection) wss.on('connection', (ws, request) => onConnection(ws, request, wss));
  const raw = await t.sendRequest(wss, change);
  const { server: ws, request } = await t.accepted(wss);
  await raw.head();
  return { wss, raw, ws, request };
}

/** Exchanges a message in both directions, so that everything written before has been read. @param {Accepted} accepted */
async function exchange(t, { raw, ws }) {
  raw.send(OPCODE.text, 'there');
  await t.emitted(ws, 'message');
  ws.send('and back');
  await raw.frame();
}

module.exports = { ENDINGS, exchange, acceptRaw };
