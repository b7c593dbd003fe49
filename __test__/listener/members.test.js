'use strict';

// The socket of an accepted connection, which becomes a net.Socket when it is touched: each member in each state, used in each way,
// does what it does with ws. And the table of lib/transport/accepted-socket.js says which members touch.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');

const { WebSocket, WebSocketServer } = require('ferrows');
const { STATES, isUntouched } = require('../../lib/transport/accepted-socket.js');

const run = promisify(execFile);
const CHILD = path.join(__dirname, 'children', 'members.js');

/** Those of the table, and what only a test makes of them. */
const LIVES = [...Object.keys(STATES), 'touched', 'wrappedOpen', 'closing'];

/** What came of each member and way, by name. @param {string} library @param {string} state */
async function outcomes(library, state) {
  const args = ['--no-deprecation', CHILD, library, state];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1e7, timeout: 120_000 });
  return JSON.parse(stdout);
}

for (const state of LIVES) {
  test(`each member of a socket: ${state}`, async () => {
    const [expected, actual] = await Promise.all([outcomes('ws', state), outcomes('ferrows', state)]);
    assert.ok(Object.keys(expected).length > 400);
    assert.deepEqual(actual, expected);
  });
}

/** Arguments with which methods that do not always touch do not. @type {Record<string, any[]>} */
const PLAIN = {
  on: ['error', () => {}],
  removeListener: ['error', undefined],
  setTimeout: [0],
  write: ['HTTP/1.1 200 OK\r\n\r\n']
};

/** @type {Record<string, (ws: any, socket: any, client: any) => unknown>} */
const ARRIVALS = {
  open: () => {},
  ending: (_ws, socket) => socket.end(),
  destroyed: (_ws, socket) => socket.destroy(),
  closed: async (ws) => {
    ws.terminate();
    await once(ws, 'close');
  },
  peerEnded: async (ws, _socket, client) => {
    const closed = once(ws, 'close');
    client._socket.end();
    await closed;
  }
};

/** @param {any} socket @param {string} name */
function use(socket, name) {
  if (typeof socket[name] === 'function') {
    try {
      const args = PLAIN[name] ?? [];
      if (name === 'removeListener') {
        const listener = () => {};
        socket.on('error', listener);
        args[1] = listener;
      }
      socket[name](...args);
    } catch (error) {
      assert.equal(error.code, 'ERR_HTTP_SOCKET_ENCODING');
    }
  }
}

for (const [state, { members }] of Object.entries(STATES)) {
  for (const isTouching of [false, true]) {
    const which = isTouching ? 'every other member touches' : 'members of the table do not touch';
    test(`${which}: ${state}`, async (t) => {
      /** Members of a net.Socket that are reached through its prototypes. */
      const inherited = new Set();
      for (let object = net.Socket.prototype; object !== Object.prototype; object = Object.getPrototypeOf(object)) {
        for (const name of Object.getOwnPropertyNames(object)) inherited.add(name);
      }
      const names = isTouching
        ? [...inherited].filter((name) => !members.includes(name) && !['constructor', 'connect'].includes(name))
        : members;
      for (const name of names) {
        /** @type {any} */
        let held;
        const judged = new Promise((resolve) => {
          held = (/** @type {any} */ { req }, /** @type {(verdict: boolean) => void} */ proceed) => {
            if (state in ARRIVALS) proceed(true);
            else resolve([req.socket, proceed]);
          };
        });
        const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, verifyClient: (/** @type {any} */ info, /** @type {any} */ go) => held(info, go) });
        t.after(() => wss.close());
        await once(wss, 'listening');
        const client = new WebSocket(`ws://127.0.0.1:${/** @type {any} */ (wss.address()).port}`);
        client.on('error', () => {});
        /** @type {any} */
        let socket;
        if (state in ARRIVALS) {
          const [ws] = await once(wss, 'connection');
          if (client.readyState === 0) await once(client, 'open');
          ws.on('error', () => {});
          socket = ws._socket;
          await ARRIVALS[state](ws, socket, client);
        } else {
          const [it, proceed] = /** @type {any} */ (await judged);
          socket = it;
          if (state === 'responded') socket.write('HTTP/1.1 101 Switching Protocols\r\n');
          void proceed;
        }
        if (state !== 'responded') assert.equal(isUntouched(socket), true, `${name}: before`);
        if (isUntouched(socket)) {
          if (isTouching) {
            try {
              void (typeof socket[name] === 'function' ? socket[name]().catch?.(() => {}) : 0);
            } catch {
              // As with Node: it was called without arguments.
            }
          } else {
            use(socket, name);
          }
          assert.equal(isUntouched(socket), !isTouching, name);
        }
        socket.on('error', () => {});
        socket.destroy();
        client.terminate();
        await new Promise((resolve) => {
          wss.close(resolve);
        });
      }
    });
  }
}
