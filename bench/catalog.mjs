// Subjects and workloads of the benchmark. A new one needs only an entry here; targets.mjs has the
// limits for ferrows.

/**
 * Subjects. Each runs in a process of its own, started for every measurement. `program` is a name
 * in programs.mjs; `server` and `client` are the files that it runs.
 */
export const SUBJECTS = [
  ...[
    { name: 'ws', env: { WS_NO_BUFFER_UTIL: '1' } },
    { name: 'ws+bufferutil', env: { WS_NO_BUFFER_UTIL: '' } }
  ].map((subject) => ({
    ...subject,
    program: 'node',
    server: 'servers/ws.mjs',
    client: 'clients/ws.mjs'
  })),
  ...['stream', 'event_loop', 'io_threads', 'auto'].map((transport) => ({
    name: `ferrows/${transport}`,
    env: { FERROWS_TRANSPORT: transport },
    program: 'node',
    server: 'servers/ferrows.mjs',
    client: 'clients/ferrows.mjs'
  })),
  {
    name: 'ferrows/observed',
    env: { FERROWS_TRANSPORT: 'auto', FERROWS_OBSERVED: '1' },
    program: 'node',
    server: 'servers/ferrows.mjs'
  },
  // Another clone, to measure the effect of a change: FERROWS_BEFORE is its path.
  ...(process.env.FERROWS_BEFORE
    ? [
        {
          name: 'ferrows/before',
          env: { FERROWS_TRANSPORT: 'auto', FERROWS_CLONE: process.env.FERROWS_BEFORE },
          program: 'node',
          server: 'servers/ferrows.mjs',
          client: 'clients/ferrows.mjs'
        }
      ]
    : []),
  { name: 'http.request', program: 'node', client: 'clients/http-request.mjs' },
  { name: 'uWebSockets.js', program: 'uws', server: 'servers/uws.mjs' },
  { name: 'Bun', program: 'bun', server: 'servers/bun.mjs' },
  {
    name: 'Bun+dedicated',
    env: { BUN_DEFLATE: 'dedicated' },
    program: 'bun',
    server: 'servers/bun.mjs'
  },
  { name: 'raw epoll', program: 'epoll-echo' }
];

/** The reference of ratios in the tables. */
export const BASELINE = 'ws';

const WS = ['ws', 'ws+bufferutil'];
const PEERS = ['uWebSockets.js', 'Bun'];
const LIMIT = 'raw epoll';
const MAIN = [...WS, 'ferrows/auto', ...PEERS, LIMIT];
const CLIENTS = [...WS, 'ferrows/auto'];
const COMPRESSING = ['ws', 'ferrows/auto', ...PEERS];
const DEDICATED = 'Bun+dedicated';
const SECURE = [...WS, 'ferrows/auto', ...PEERS];
const ALL_SUBJECTS = [
  ...WS,
  'ferrows/stream',
  'ferrows/event_loop',
  'ferrows/io_threads',
  'ferrows/auto',
  ...PEERS,
  LIMIT
];

const KIB = 1024;
const MIB = 1024 * KIB;
const small = { size: 64, binary: false };
const compressed = { deflate: 'takeover', connections: 50, inFlight: 1 };

/** A workload with a number of connections, measured for a few subjects. */
const growth = (connections) => ({
  name: `growth-${connections}`,
  ...small,
  connections,
  inFlight: 1,
  subjects: ['ws', 'ferrows/auto', 'uWebSockets.js', LIMIT]
});

/** An echo of compressed text without a target: fewer rounds are sufficient. */
const compressedEcho = (name, size, deflate = 'takeover') => ({
  name,
  ...compressed,
  deflate,
  size,
  rounds: 3,
  subjects: COMPRESSING
});

/** Echoes with and without a reader of the counters and diagnostics channels. */
const observed = (inFlight) => ({
  name: `observed-${inFlight}`,
  ...small,
  connections: 100,
  inFlight,
  rounds: 5,
  subjects: ['ws', 'ferrows/auto', 'ferrows/observed', 'ferrows/before']
});

/** Echoes by a program that computes for each message: the gain of I/O threads in a real one. */
const working = (name, message) => ({
  name,
  ...message,
  work: 20,
  connections: 50,
  inFlight: 16,
  onDemand: true,
  subjects: ['ws', 'ferrows/event_loop', 'ferrows/io_threads']
});

/** Subjects of the workloads about opening and holding connections. */
const CONNECTION_SUBJECTS = ['ws', 'ferrows/auto', ...PEERS, LIMIT];

/** Connections that are opened and closed, with a number of exchanges. */
const opening = (name, exchanges, { connections = 50, ...others } = {}) => ({
  name,
  kind: 'opening',
  ...small,
  connections,
  inFlight: 1,
  exchanges,
  ...others,
  subjects: CONNECTION_SUBJECTS
});

/** Connections that the subject opens and closes, to the raw echo server. */
const clientOpening = (name, connections) => ({
  name,
  kind: 'client-opening',
  ...small,
  connections,
  inFlight: 1,
  subjects: ['ws', 'ferrows/auto', 'http.request']
});

/** Loads on one server, in turn, before its memory is read. */
const MEMORY_LOADS = [
  { ...small, connections: 100, inFlight: 1 },
  { ...small, connections: 100, inFlight: 16 },
  { size: 16 * KIB, binary: true, connections: 100, inFlight: 1 },
  { size: MIB, binary: true, connections: 4, inFlight: 1 }
];

/**
 * Workloads: subjects, payload bytes, connections, and messages in flight per connection. The
 * subject is the server unless `kind` says otherwise:
 * `client`: it connects to the raw echo server; `client-opening`: it opens and closes connections
 * to that, `connections` at a time; `memory`: its memory after all `loads`; `idle`:
 * memory of connections that are silent after `exchanges`; `opening`: connections opened and
 * closed, `connections` at a time, with `exchanges` each, and their requests sent `drip` bytes at a
 * time; `held`: connections of which the share `talking` exchanges messages; `flood`: clients that
 * send a message `every` milliseconds, first alone, then during `attacks` hostile handshakes per
 * second.
 * With `deflate`, the payload is JSON, different in each message and compressed, with context
 * `takeover` or `no-takeover`. `work` is how many thousand steps a server of the API of ws computes
 * for each message. `rounds` is the maximum number of rounds; `onDemand` workloads run
 * only if selected by name.
 */
const CATALOG = [
  { name: 'echo-64-1', ...small, connections: 100, inFlight: 1, subjects: ALL_SUBJECTS },
  { name: 'echo-64-16', ...small, connections: 100, inFlight: 16, subjects: ALL_SUBJECTS },
  { name: 'echo-64-alone', ...small, connections: 1, inFlight: 1, subjects: MAIN },
  { name: 'echo-16k', size: 16 * KIB, binary: true, connections: 100, inFlight: 1, subjects: MAIN },
  { name: 'echo-1m', size: MIB, binary: true, connections: 4, inFlight: 1, subjects: MAIN },
  {
    name: 'broadcast',
    ...small,
    broadcast: true,
    connections: 200,
    inFlight: 1,
    subjects: MAIN
  },
  ...[1, 16].map((inFlight) => ({
    name: `client-${inFlight}`,
    kind: 'client',
    ...small,
    connections: 100,
    inFlight,
    subjects: CLIENTS
  })),
  ...[1, 16].map((inFlight) => ({
    name: `tls-${inFlight}`,
    ...small,
    tls: true,
    connections: 100,
    inFlight,
    subjects: SECURE
  })),
  ...[10, 1000, 10_000].map(growth),
  {
    name: 'memory',
    kind: 'memory',
    loads: MEMORY_LOADS,
    subjects: ['ws', 'ferrows/auto', ...PEERS]
  },
  opening('opening', 0),
  opening('opening-1', 1),
  opening('opening-serial', 0, { connections: 1 }),
  opening('opening-drip', 0, { drip: 4 }),
  clientOpening('client-opening', 50),
  {
    name: 'idle-8000',
    kind: 'idle',
    ...small,
    connections: 8000,
    inFlight: 1,
    exchanges: 1,
    rounds: 1,
    subjects: CONNECTION_SUBJECTS
  },
  {
    name: 'handshake-flood',
    kind: 'flood',
    ...small,
    connections: 1000,
    inFlight: 1,
    every: 100,
    attacks: 1000,
    rounds: 3,
    subjects: CONNECTION_SUBJECTS
  },
  {
    name: '100k-connections',
    kind: 'held',
    ...small,
    connections: 100_000,
    talking: 0.01,
    inFlight: 1,
    onDemand: true,
    rounds: 1,
    subjects: CONNECTION_SUBJECTS
  },
  ...[1, 16].map(observed),
  working('work-64', small),
  working('work-16k', { size: 16 * KIB, binary: true }),
  working('work-deflate-2k', { size: 2 * KIB, deflate: 'takeover' }),
  compressedEcho('deflate-200', 200),
  {
    name: 'deflate-2k',
    ...compressed,
    size: 2 * KIB,
    subjects: [...COMPRESSING, DEDICATED]
  },
  compressedEcho('deflate-64k', 64 * KIB),
  compressedEcho('deflate-2k-no-takeover', 2 * KIB, 'no-takeover'),
  {
    name: 'deflate-broadcast',
    ...compressed,
    size: 2 * KIB,
    broadcast: true,
    connections: 500,
    subjects: [...COMPRESSING, DEDICATED]
  },
  {
    name: 'deflate-memory',
    kind: 'idle',
    ...compressed,
    size: 2 * KIB,
    connections: 2000,
    exchanges: 10,
    // Takes long, and varies by only one or two percent.
    rounds: 1,
    subjects: [...COMPRESSING, DEDICATED]
  }
];

/** With FERROWS_BEFORE, every workload of the default transport also measures the other clone, interleaved. */
export const WORKLOADS = CATALOG.map((workload) =>
  process.env.FERROWS_BEFORE && workload.subjects.includes('ferrows/auto')
    ? { ...workload, subjects: [...new Set([...workload.subjects, 'ferrows/before'])] }
    : workload
);

/** The peer of a client workload. */
export const ECHO = { name: LIMIT, program: 'epoll-echo' };
