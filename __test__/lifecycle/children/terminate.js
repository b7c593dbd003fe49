'use strict';

// A library (MODULE) in a role (ROLE) does ACT within every event, each on a connection of its own. Prints a line per case: its
// name, and the log of the connection. CASES may be `received`, those whose event is caused by data of the peer on the open
// connection, or `other`.

const { BURSTS, Situations, conclude } = require('./situations');
const { Log } = require('./acts');

const { ACT, MODULE, ROLE } = process.env;
const library = require(MODULE);
const isServer = ROLE === 'server';

/** More than the kernel buffers. */
const LARGE = Buffer.alloc(12 * 1024 * 1024, 'l');

const REDIRECT = 'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n';
const REFUSAL = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno';

/** Acts that do not end the connection, neither with ws. @type {Record<string, string[]>} */
const EXCEPT = {
  'a request, headers': ['throw'],
  'a connection, upgrade': ['destroy', 'throw'],
  'a redirect, redirect': ['throw'],
  'a refusal, unexpected-response': ['nothing', 'destroy', 'throw'],
  'a refusal, error': ['throw'],
  'a hang-up, error': ['throw'],
  'a hang-up, close': ['throw']
};

/** Milliseconds, more than any case takes. */
const BOUND = 10_000;

/** @typedef {(situations: Situations, log: Log) => Promise<void>} Case */

/** @type {[name: string, event: string, nth: number, run: Case][]} */
const received = [];

/** @type {typeof received} */
const other = [];

for (const [name, { frames, within, deflate }] of Object.entries(BURSTS)) {
  for (const [event, nth] of within) {
    received.push([
      name,
      event,
      nth,
      async (situations, log) => {
        const { closed, peer } = await situations.open(log, deflate);
        peer.write(Buffer.concat(frames().map((frame) => peer.make(...frame))));
        conclude(peer, log);
        await closed;
      }
    ]);
  }
}

/** @type {Case} */
const openCase = async (situations, log) => {
  const { closed, peer } = await situations.open(log);
  conclude(peer, log);
  await closed;
};

other.push([
  'a send',
  'callback',
  1,
  async (situations, log) => {
    const { ws, closed, peer } = await situations.open(log);
    for (const word of ['one', 'two', 'three']) {
      ws.send(word, (error) => {
        log.line(`sent ${word} ${error?.message}`);
        log.happened('callback', ws);
      });
    }
    conclude(peer, log);
    await closed;
  }
]);

other.push([
  'a large send',
  'drain',
  1,
  async (situations, log) => {
    const { ws, closed, peer } = await situations.open(log);
    const stream = library.createWebSocketStream(ws);
    // Input is not parsed; the close frame of the peer comes when all must have come.
    if (ACT === 'close' || log.isPassive) {
      // Before the listener that throws.
      stream.once('drain', () => setImmediate(() => peer.close(1000)));
    }
    for (const event of ['drain', 'finish', 'end', 'error', 'close']) {
      stream.on(event, () => {
        log.line(`stream ${event}`);
        log.happened(event === 'drain' ? event : `stream ${event}`, ws);
      });
    }
    stream.resume();
    peer.socket.removeAllListeners('data');
    log.line(`write ${stream.write(LARGE)}`);
    peer.socket.resume();
    peer.socket.on('end', () => peer.finish());
    await closed;
  }
]);

if (isServer) {
  other.push(['a connection', 'connection', 1, openCase]);
  // No WebSocket yet: the act is done to the socket.
  other.push([
    'a request',
    'headers',
    1,
    async (situations, log) => {
      situations.wss.once('headers', (lines, { socket }) => {
        const close = () => socket.end();
        const terminate = () => socket.destroy();
        log.happened('headers', { _socket: socket, readyState: 0, close, terminate });
      });
      const { closed, peer } = await situations.open(log);
      conclude(peer, log);
      await closed;
    }
  ]);
} else {
  const answered = (answer) => async (situations, log) => {
    const { closed, peer } = await situations.client(log, { followRedirects: true });
    if (answer) peer.write(answer);
    peer.finish();
    await closed;
  };
  other.push(['a connection', 'open', 1, openCase]);
  other.push(['a connection', 'upgrade', 1, openCase]);
  other.push(['a redirect', 'redirect', 1, answered(REDIRECT)]);
  other.push(['a hang-up', 'error', 1, answered()]);
  other.push(['a hang-up', 'close', 1, answered()]);
  other.push(['a refusal', 'error', 1, answered(REFUSAL)]);
  // The listener must end the request, if it has not been ended before.
  other.push([
    'a refusal',
    'unexpected-response',
    1,
    async (situations, log) => {
      const { ws, closed, peer } = await situations.client(log);
      ws.once('unexpected-response', (request) => setImmediate(() => request.destroy()));
      peer.write(REFUSAL);
      await closed;
      peer.finish();
    }
  ]);
}

const all = { received, other };
const cases = (process.env.CASES ? all[process.env.CASES] : [...received, ...other]).filter(
  ([name, event]) => !EXCEPT[`${name}, ${event}`]?.includes(ACT)
);

/** @type {Log} */
let log;

async function main() {
  const situations = new Situations(library, isServer);
  await situations.listen();
  for (const [name, event, nth, run] of cases) {
    log = new Log(ACT, event, nth);
    const say = (more) =>
      console.log(
        JSON.stringify({
          name: `${name}, ${event} ${nth}`,
          isDone: log.isDone,
          lines: log.lines(),
          ...more
        })
      );
    const bound = setTimeout(() => {
      say({ hangs: true });
      process.exit(1);
    }, BOUND);
    await run(situations, log);
    clearTimeout(bound);
    // Events after 'close' would be logged, too.
    await new Promise((resolve) => setImmediate(resolve));
    say();
  }
  await situations.end();
}

process.on('uncaughtException', (error) => {
  log.line(`uncaught ${error.message}`);
  if (!log.websocket) return;
  // If the opening handshake has stopped, nothing else ends it.
  const { websocket } = log;
  setImmediate(() => {
    if (websocket.readyState === websocket.CONNECTING) websocket.terminate();
  });
});

main();
