'use strict';

// The ways in which a connection of a server ends, each played by a bare client, and how such a connection is made. Scenarios that
// look at what is left in the hands of a program run once for each of them.

const { OPCODE } = require('./frames');

/**
 * @typedef {object} Meeting
 * @property {any} wss
 * @property {any} ws the server's end
 * @property {any} request
 * @property {import('./raw-peer').RawPeer} raw the client
 */

/**
 * Who ends the connection and how; each resolves when it has done its part, not when all is over.
 *
 * @type {Record<string, (meeting: Meeting) => Promise<void> | void>}
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
  async 'the server closes, and nobody answers'({ raw, ws }) {
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

/** Nothing is answered in one of the endings: then it has to be waited for. */
const OPTIONS = { closeTimeout: 60 };

/**
 * A bare client that has been accepted.
 *
 * @param {import('./context').Context} t
 * @param {{ options?: object, change?: object, met?: (ws: any, request: any, wss: any) => void }} [how] options of the server; what
 *   is changed in the request; a listener of `connection`
 * @returns {Promise<Meeting>}
 */
async function meet(t, { options, change, met } = {}) {
  const wss = await t.listen({ ...OPTIONS, ...options });
  if (met) wss.on('connection', (ws, request) => met(ws, request, wss));
  const raw = await t.knock(wss, change);
  const { server: ws, request } = await t.accepted(wss);
  await raw.head();
  return { wss, raw, ws, request };
}

/** A message there and one back, so that all that was written before has been read. @param {Meeting} meeting */
async function exchange(t, { raw, ws }) {
  raw.send(OPCODE.text, 'there');
  await t.seen(ws, 'message');
  ws.send('and back');
  await raw.frame();
}

module.exports = { ENDINGS, exchange, meet };
