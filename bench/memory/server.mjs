// A server of run.mjs: `node server.mjs ws|ferrows [--deflate] [--heap MIB]`. Echoes messages. Reads
// commands as lines, and answers each with a line of JSON.
import { createInterface } from 'node:readline';

import { ferrows, ws } from '../libraries.mjs';

const PING_INTERVAL = 1000;
const KIB = 1024;
const MIB = 1024 * KIB;

const [library, ...flags] = process.argv.slice(2);
const { WebSocketServer } = library === 'ws' ? ws() : ferrows();

/** Native memory of the program itself: blocks in use, each beside a free one. */
function fragmentedHeap(bytes) {
  const kept = [];
  let freed = [];
  for (let total = 0; total < bytes;) {
    // Below the size from which glibc maps blocks; different ones, so that few are used again.
    const size = (16 + (total % 49)) * KIB;
    (kept.length > freed.length ? freed : kept).push(Buffer.allocUnsafeSlow(size));
    total += size;
  }
  freed = null;
  global.gc();
  return kept;
}

const heap = flags.includes('--heap') ? Number(flags[flags.indexOf('--heap') + 1]) * MIB : 0;
const kept = fragmentedHeap(heap);

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: flags.includes('--deflate')
});
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

let pings;
let longest = 0;

/**
 * Observes the event loop with a timer of 1 ms. A pause is the time between two calls, or the CPU time
 * of the process in between if that is less: a busy machine makes no pause.
 */
function observe() {
  let last = performance.now();
  let { user, system } = process.cpuUsage();
  setInterval(() => {
    const now = performance.now();
    const used = process.cpuUsage();
    const busy = (used.user + used.system - user - system) / 1000;
    longest = Math.max(longest, Math.min(now - last, busy));
    [last, { user, system }] = [now, used];
  }, 1);
}

const COMMANDS = {
  /** Begins a heartbeat. */
  ping() {
    const ping = () => {
      for (const client of server.clients) client.ping();
    };
    pings = setInterval(ping, PING_INTERVAL);
    ping();
    return {};
  },

  /** Ends the heartbeat. */
  silence() {
    clearInterval(pings);
    return {};
  },

  /** Begins to observe the event loop. */
  observe() {
    observe();
    return {};
  },

  /** The longest pause since the last call, in milliseconds. */
  pause() {
    const answer = { longest, kept: kept.length };
    longest = 0;
    return answer;
  },

  /** Number of open connections. */
  clients: () => ({ clients: server.clients.size })
};

server.on('listening', () => {
  console.log(JSON.stringify({ port: server.address().port }));
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => console.log(JSON.stringify(COMMANDS[line]())));
  lines.on('close', () => process.exit());
});
