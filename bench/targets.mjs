// What ferrows must reach: a ratio to another figure within the same run, or a figure of its own. Data only;
// report/evaluate.mjs compares.

/** `ws` is the faster of its two variants; `best` of uWebSockets.js and Bun is the better one. */
export const GROUPS = {
  ws: ['ws', 'ws+bufferutil'],
  'the better of uWebSockets.js and Bun': ['uWebSockets.js', 'Bun']
};

/**
 * `work` and `what` are for the reader. `measure` is a key of a measurement, less is better. `limits` are the most that
 * the subject's figure may be, as a multiple of a subject's or a group's. `against` is the workload of the other figure,
 * where that is another one, and `than` its measure. `most` is the most that the figure itself may be, in its own unit.
 */
export const TARGETS = [
  {
    work: '64 B echo, 100 connections, 1 in flight',
    what: 'server CPU',
    workload: 'echo-64-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 1, ws: 0.6, 'raw epoll': 1.15 }
  },
  {
    work: '64 B echo, 100 connections, 16 in flight',
    what: 'server CPU',
    workload: 'echo-64-16',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 0.7, ws: 0.1 }
  },
  {
    work: 'the same, pinned to `io_threads`',
    what: 'JavaScript-thread CPU',
    workload: 'echo-64-16',
    subject: 'ferrows/io_threads',
    measure: 'javaScript',
    limits: { 'uWebSockets.js': 0.35 }
  },
  {
    work: '... with 1 in flight',
    what: 'JavaScript-thread CPU',
    workload: 'echo-64-1',
    subject: 'ferrows/io_threads',
    measure: 'javaScript',
    limits: { 'uWebSockets.js': 0.5 }
  },
  {
    work: '64 B echo, 1 connection, 1 in flight',
    what: 'p50 round trip',
    workload: 'echo-64-alone',
    subject: 'ferrows/auto',
    measure: 'p50',
    limits: { ws: 1, 'uWebSockets.js': 1.1 }
  },
  {
    work: '16 KiB echo, 100 connections',
    what: 'server CPU',
    workload: 'echo-16k',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 1 }
  },
  {
    work: '1 MiB echo, 4 connections',
    what: 'server CPU',
    workload: 'echo-1m',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 1, 'ws+bufferutil': 0.65 }
  },
  {
    work: 'broadcast of 64 B to 200 connections',
    what: 'server CPU a delivery',
    workload: 'broadcast',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'the better of uWebSockets.js and Bun': 1 }
  },
  {
    work: 'as the client, 100 connections, 1 in flight',
    what: 'client CPU',
    workload: 'client-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.6 }
  },
  {
    work: 'as the client, 100 connections, 16 in flight',
    what: 'client CPU',
    workload: 'client-16',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.15 }
  },
  {
    work: 'over TLS, 1 in flight',
    what: 'server CPU',
    workload: 'tls-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.9 }
  },
  {
    work: 'over TLS, 16 in flight',
    what: 'server CPU',
    workload: 'tls-16',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.4 }
  },
  {
    work: 'after echoes of every size',
    what: 'resident memory',
    workload: 'memory',
    subject: 'ferrows/auto',
    measure: 'rss',
    limits: { ws: 1.5 }
  },
  {
    work: '64 B echo, from 100 to 10,000 connections',
    what: 'growth of server CPU',
    workload: 'growth-10000',
    against: 'echo-64-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'ferrows/auto': 1.5 }
  },
  {
    work: '2 KiB of compressed JSON echoed, 50 connections',
    what: 'server CPU',
    workload: 'deflate-2k',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.3, Bun: 1 }
  },
  {
    work: 'broadcast of 2 KiB of compressed JSON to 500 connections',
    what: 'server CPU a delivery',
    workload: 'deflate-broadcast',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.1 }
  },
  {
    work: '2,000 idle connections that have compressed',
    what: 'memory a connection',
    workload: 'deflate-memory',
    subject: 'ferrows/auto',
    measure: 'growth',
    limits: { ws: 0.25 }
  },
  {
    work: 'opening and closing, 50 connections at a time',
    what: 'server CPU a connection',
    workload: 'opening',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.35, 'uWebSockets.js': 1.5 }
  },
  {
    work: '8,000 idle connections',
    what: 'memory a connection',
    workload: 'idle-8000',
    subject: 'ferrows/auto',
    measure: 'growth',
    most: 1500
  },
  {
    work: '1,000 good clients beside hostile ones',
    what: 'p99 round trip',
    workload: 'handshake-flood',
    subject: 'ferrows/auto',
    measure: 'p99',
    than: 'baselineP99',
    limits: { 'ferrows/auto': 1.5 }
  }
];
