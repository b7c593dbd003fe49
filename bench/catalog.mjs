// What is compared and under which load. A new server or workload is a new entry here and nothing else.

/** Echo servers: each is a process of its own, started anew for every measurement. */
export const SERVERS = [
  { name: 'ws', file: 'ws.js', env: { WS_NO_BUFFER_UTIL: '1' } },
  { name: 'ws+bufferutil', file: 'ws.js', env: { WS_NO_BUFFER_UTIL: '' } },
  { name: 'ferrows/stream', file: 'ferrows.js', env: { FERROWS_TRANSPORT: 'stream' } },
  { name: 'ferrows/io_threads', file: 'ferrows.js', env: { FERROWS_TRANSPORT: 'io_threads' } }
];

/** The server that ratios are taken to. */
export const BASELINE = 'ws';

/** Loads: payload bytes, connections, and messages that each connection keeps under way. */
export const WORKLOADS = [
  { name: 'echo-64-1', size: 64, binary: false, connections: 100, inFlight: 1 },
  { name: 'echo-64-16', size: 64, binary: false, connections: 100, inFlight: 16 }
];
