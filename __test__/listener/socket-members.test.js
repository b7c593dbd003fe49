'use strict';

// The socket of an accepted connection, which becomes a net.Socket on first use: each member in each state, used in each way,
// behaves as with ws. The table of lib/socket/socket-states.js lists the members that materialize it.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');

const { WebSocket, WebSocketServer } = require('ferrows');
const { STATES } = require('../../lib/socket/socket-states.js');
const { isLazy } = require('../../lib/socket/materialize.js');

const run = promisify(execFile);
const CHILD = path.join(__dirname, 'children', 'members.js');

/** The members of the table, and some that only this test uses. */
const LIVES = [...Object.keys(STATES), 'touched', 'wrappedOpen', 'closing'];

/** The outcome of each member and way, by name. @param {string} library @param {string} state */
async function outcomes(library, state) {
  const args = ['--no-deprecation', CHILD, library, state];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1e7, timeout: 60_000 });
  return JSON.parse(stdout);
}

for (const state of LIVES) {
  test(`each member of a socket: ${state}`, async () => {
    const [expected, actual] = await Promise.all([
      outcomes('ws', state),
      outcomes('ferrows', state)
    ]);
    assert.ok(Object.keys(expected).length > 400);
    assert.deepEqual(actual, expected);
  });
}

/** Arguments with which methods do not materialize the socket. @type {Record<string, any[]>} */
const PLAIN = { setTimeout: [0], write: ['HTTP/1.1 200 OK\r\n\r\n'] };

/** WebSocketServer has added its error listener there: another one materializes the socket. */
const ONCE_ONLY = ['on', 'removeListener'];

/** Brings an open connection into a state. @type {Record<string, (ws: any, client: any) => unknown>} */
const ARRIVALS = {
  open: () => {},
  ending: (ws) => ws._socket.end(),
  destroyed: (ws) => ws._socket.destroy(),
  closed: async (ws) => {
    ws.terminate();
    await once(ws, 'close');
  },
  peerEnded: async (ws, client) => {
    const closed = once(ws, 'close');
    client._socket.end();
    await closed;
  }
};

/** The async_hooks of node:test observe a refusal: responses.test.mjs checks in another process that Node writes none. */
const REFUSED = ['refused', 'refusedClosed'];

for (const [state, { members }] of Object.entries(STATES)) {
  if (REFUSED.includes(state)) continue;
  test(`members of the table do not materialize: ${state}`, async () => {
    for (const name of members.filter((member) => !ONCE_ONLY.includes(member))) {
      /** @type {(value: any) => void} */
      let held = () => {};
      const judged = new Promise((resolve) => {
        held = resolve;
      });
      const wss = new WebSocketServer({
        host: '127.0.0.1',
        port: 0,
        verifyClient: ({ req }, proceed) => {
          if (state in ARRIVALS) proceed(true);
          else held(req.socket);
        }
      });
      await once(wss, 'listening');
      const { port } = /** @type {import('node:net').AddressInfo} */ (wss.address());
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      client.on('error', () => {});
      /** @type {any} */
      let socket;
      if (state in ARRIVALS) {
        const [[ws]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
        socket = ws._socket;
        await ARRIVALS[state](ws, client);
      } else {
        socket = await judged;
        if (state === 'responded') socket.write('HTTP/1.1 101 Switching Protocols\r\n');
      }
      // Node writes a queued response in the next tick.
      const wasLazy = state === 'responded' ? isLazy(socket) : true;
      assert.equal(isLazy(socket), wasLazy, `${name}: before`);
      try {
        const value = socket[name];
        if (typeof value === 'function') value.apply(socket, PLAIN[name] ?? []);
      } catch (error) {
        assert.equal(error.code, 'ERR_HTTP_SOCKET_ENCODING');
      }
      assert.equal(isLazy(socket), wasLazy, name);
      socket.on('error', () => {});
      socket.destroy();
      client.terminate();
      await new Promise((resolve) => {
        wss.close(resolve);
      });
    }
  });
}
