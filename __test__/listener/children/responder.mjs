// A server of ws or ferrows in a process of its own (`responder.mjs LIBRARY`), because node:test enables async_hooks, an observer
// of the table in lib/server/fallback.js. It runs the commands of ../responses.test.mjs that arrive over IPC.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { OBSERVED } from '../observers.mjs';

const require = createRequire(import.meta.url);
const isOracle = process.argv[2] === 'ws';
const { WebSocketServer } = isOracle ? require('ws') : require('../../../index.js');

let wss, server, fallbacks, refusals, seen, remove;

/** Counts the connections that the addon hands to Node, and those that it refuses after an 'upgrade' event. */
function countFallbacks() {
  const key = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'snapshot'
  );
  const { listener } = server[key].listening;
  const { release, write } = Object.getPrototypeOf(listener);
  listener.release = (number) => {
    fallbacks++;
    return Reflect.apply(release, listener, [number]);
  };
  listener.write = (...args) => {
    refusals++;
    return Reflect.apply(write, listener, args);
  };
}

const COMMANDS = {
  /** Starts another server. `settings`: members of the http.Server, set in the tick of its construction. */
  async start(settings) {
    const verifyClient = ({ req: { url } }, answer) => {
      if (url.startsWith('/later')) setImmediate(answer, false, 403, 'No', { 'X-Why': url });
      else answer(!url.startsWith('/refused'));
    };
    wss = new WebSocketServer({ host: '127.0.0.1', port: 0, verifyClient });
    server = wss._server;
    Object.assign(server, settings);
    seen = [];
    wss.on('connection', (socket, req) => {
      const { bytesRead, bytesWritten } = req.socket;
      seen.push([req.url, req.httpVersion, req.rawHeaders.length, bytesRead, bytesWritten]);
      socket.on('error', () => {});
    });
    await once(wss, 'listening');
    fallbacks = refusals = 0;
    if (!isOracle) countFallbacks();
    return wss.address().port;
  },
  state: () => ({ fallbacks, refusals, seen }),
  reset() {
    fallbacks = refusals = 0;
    seen.length = 0;
  },
  observe(name) {
    remove = OBSERVED[name](server, wss);
  },
  unobserve: () => remove(),
  count: () =>
    new Promise((resolve) => {
      server.getConnections((_error, count) => resolve(count));
    }),
  closeIdleConnections: () => server.closeIdleConnections(),
  closeAllConnections: () => server.closeAllConnections(),
  close: () => wss.close(),
  /** Without closing idle connections. */
  closeListener: () => {
    net.Server.prototype.close.call(server);
  },
  destroyActive() {
    const { port } = wss.address();
    for (const handle of process._getActiveHandles()) {
      if (handle instanceof net.Socket && handle.localPort === port) handle.destroy();
    }
  }
};

process.on('message', async ([command, argument]) => {
  process.send({ result: await COMMANDS[command](argument) });
});
process.on('disconnect', () => process.exit());
