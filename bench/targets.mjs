// Performance targets of ferrows: limits for a figure, or for its ratio to another figure of the same run. Data only;
// report/evaluate.mjs compares them with the results.

/** Groups of subjects. The one with the lowest median represents its group. */
export const GROUPS = {
  ws: ['ws', 'ws+bufferutil'],
  'the better of uWebSockets.js and Bun': ['uWebSockets.js', 'Bun']
};

/**
 * `work` and `figure` are descriptions. `measure` is the key of a figure; lower is better. `limits` are the maximum ratios to the
 * figure of a subject or group. `against` is the workload of that figure if it differs, and `than` its key. `growthOf` names the subject
 * whose own ratio between the two workloads is the limit. `most` is a maximum for the figure itself, in its own unit.
 */
export const TARGETS = [
  {
    work: '64 B echo, 100 connections, 1 in flight',
    figure: 'server CPU',
    workload: 'echo-64-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 1, Bun: 1, ws: 0.6, 'raw epoll': 1.15 }
  },
  {
    work: '64 B echo, 100 connections, 16 in flight',
    figure: 'server CPU',
    workload: 'echo-64-16',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 0.7, Bun: 1, ws: 0.1, 'raw epoll': 1.15 }
  },
  {
    work: 'the same, pinned to `io_threads`',
    figure: 'JavaScript-thread CPU',
    workload: 'echo-64-16',
    subject: 'ferrows/io_threads',
    measure: 'javaScript',
    limits: { 'uWebSockets.js': 0.35 }
  },
  {
    work: 'the same with 1 in flight',
    figure: 'JavaScript-thread CPU',
    workload: 'echo-64-1',
    subject: 'ferrows/io_threads',
    measure: 'javaScript',
    limits: { 'uWebSockets.js': 0.5 }
  },
  {
    work: '64 B echo, 1 connection, 1 in flight',
    figure: 'p50 round trip',
    workload: 'echo-64-alone',
    subject: 'ferrows/auto',
    measure: 'p50',
    limits: { ws: 0.9, 'uWebSockets.js': 1.1 }
  },
  {
    work: '16 KiB echo, 100 connections',
    figure: 'server CPU',
    workload: 'echo-16k',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 1.15 }
  },
  {
    work: '1 MiB echo, 4 connections',
    figure: 'server CPU',
    workload: 'echo-1m',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 1, 'ws+bufferutil': 0.65 }
  },
  {
    work: 'broadcast of 64 B to 200 connections',
    figure: 'server CPU per delivery',
    workload: 'broadcast',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'the better of uWebSockets.js and Bun': 1 }
  },
  {
    work: 'as the client, 100 connections, 1 in flight',
    figure: 'client CPU',
    workload: 'client-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.6 }
  },
  {
    work: 'as the client, 100 connections, 16 in flight',
    figure: 'client CPU',
    workload: 'client-16',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.15 }
  },
  {
    work: 'over TLS, 1 in flight',
    figure: 'server CPU',
    workload: 'tls-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.75 }
  },
  {
    work: 'over TLS, 16 in flight',
    figure: 'server CPU',
    workload: 'tls-16',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.42 }
  },
  {
    work: 'one server after echoes of every size',
    figure: 'resident memory',
    workload: 'memory',
    subject: 'ferrows/auto',
    measure: 'rss',
    limits: { ws: 1.2 }
  },
  {
    work: '64 B echo, from 100 to 10,000 connections',
    figure: 'growth of server CPU',
    workload: 'growth-10000',
    against: 'echo-64-1',
    subject: 'ferrows/auto',
    measure: 'cpu',
    growthOf: 'raw epoll'
  },
  {
    work: '200 B of compressed JSON echoed, 50 connections',
    figure: 'server CPU',
    workload: 'deflate-200',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { 'uWebSockets.js': 1 }
  },
  {
    work: '2 KiB of compressed JSON echoed, 50 connections',
    figure: 'server CPU',
    workload: 'deflate-2k',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.3, Bun: 1 }
  },
  {
    work: 'broadcast of 2 KiB of compressed JSON to 500 connections',
    figure: 'server CPU per delivery',
    workload: 'deflate-broadcast',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.1 }
  },
  {
    work: '2,000 idle connections with permessage-deflate',
    figure: 'memory per connection',
    workload: 'deflate-memory',
    subject: 'ferrows/auto',
    measure: 'growth',
    limits: { ws: 0.25 }
  },
  {
    work: 'opening and closing, 50 connections at a time',
    figure: 'server CPU per connection',
    workload: 'opening',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.35, 'uWebSockets.js': 1.5 }
  },
  {
    work: 'opening and closing, one after the other',
    figure: 'server CPU per connection',
    workload: 'opening-serial',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.35, 'uWebSockets.js': 1.5 }
  },
  {
    work: 'opening, requests 4 bytes at a time, 50 connections',
    figure: 'server CPU per connection',
    workload: 'opening-drip',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 1 }
  },
  {
    work: 'opening and closing as the client, 50 connections at a time',
    figure: 'client CPU per connection',
    workload: 'client-opening',
    subject: 'ferrows/auto',
    measure: 'cpu',
    limits: { ws: 0.9 }
  },
  {
    work: '8,000 idle connections',
    figure: 'memory per connection',
    workload: 'idle-8000',
    subject: 'ferrows/auto',
    measure: 'growth',
    most: 1000
  },
  {
    work: '1,000 clients during a handshake flood',
    figure: 'p99 round trip',
    workload: 'handshake-flood',
    subject: 'ferrows/auto',
    measure: 'p99',
    than: 'baselineP99',
    limits: { 'ferrows/auto': 3 }
  }
];
