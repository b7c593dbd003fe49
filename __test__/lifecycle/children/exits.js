'use strict';

// A process with one connection of a library (MODULE), in a role (ROLE), to a bare socket of the test. On EVENT it sends SIZE
// bytes, and exits by ACTION. A server prints its port, a client connects to URL. The test checks the exit code, the standard
// error and the bytes at the peer.

const { EVENT, ACTION, MODULE, ROLE, SIZE, URL: url } = process.env;
const { WebSocket, WebSocketServer } = require(MODULE);

/** The peer answers no close frame: a short timeout suffices. */
const options = { perMessageDeflate: false, closeTimeout: 300 };

const LARGE = Buffer.alloc(5 * 1024 * 1024, 'l');

/** @type {Record<string, (ws: any) => void>} */
const ACTIONS = {
  exit: () => process.exit(5),
  throw: () => {
    throw new Error('thrown by a listener');
  },
  // Without an event: data that has not left then is lost.
  SIGTERM: (ws) => ws.send('left', () => process.kill(process.pid, 'SIGTERM')),
  SIGINT: (ws) => ws.send('left', () => process.kill(process.pid, 'SIGINT')),
  'SIGTERM with a handler': (ws) => {
    process.on('SIGTERM', () => {
      ws.send('from the handler');
      process.exit(6);
    });
    process.kill(process.pid, 'SIGTERM');
  },
  'an exit listener that exits': (ws) => {
    process.on('exit', () => {
      ws.send('from the listener');
      process.exit(7);
    });
    process.exit(5);
  },
  'no referenced socket': (ws) => {
    ws._socket.unref();
    server?.close();
  },
  'a close': (ws) => {
    ws.close(1000, 'last');
    server?.close();
  }
};

/** @type {any} */
let server;
let isDone = false;

/** @param {string} event @param {any} ws */
function happened(event, ws) {
  if (event !== EVENT || isDone) return;
  isDone = true;
  if (ws.readyState === ws.OPEN) {
    for (const word of ['one', 'two']) ws.send(word, () => {});
    ws.ping('three');
    if (SIZE === 'large') ws.send(LARGE);
    ws.send('last');
  }
  ACTIONS[ACTION](ws);
}

/** @param {any} ws */
function watch(ws) {
  for (const event of ['upgrade', 'open', 'message', 'ping', 'pong', 'error', 'close']) {
    ws.on(event, () => happened(event, ws));
  }
  if (EVENT === 'unexpected-response') ws.on(EVENT, () => happened(EVENT, ws));
  if (EVENT !== 'callback') return;
  ws.once('message', () => ws.send('zero', () => happened('callback', ws)));
}

if (ROLE === 'client') {
  watch(new WebSocket(url, options));
} else {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server.on('listening', () => console.log(server.address().port));
  server.on('headers', () => happened('headers', { readyState: 0 }));
  server.on('connection', (ws) => {
    watch(ws);
    happened('connection', ws);
  });
}
