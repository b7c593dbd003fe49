// The echo server that every server here runs, and what it tells the runner about its own cost.
// Used by the files beside it, as a child process with an IPC channel. Choosing the library is theirs.
'use strict';

const { readFileSync } = require('node:fs');

/**
 * CPU time of the thread that runs JavaScript: on Linux the thread whose id is the process's.
 *
 * @returns {number | null} microseconds; null where the system does not tell
 */
function javaScriptThreadMicros() {
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1');
    return Number(stat.split(' ', 1)[0]) / 1000;
  } catch {
    return null;
  }
}

/** What the process has used up to now: microseconds of CPU, and resident bytes. */
function sample() {
  const { user, system } = process.cpuUsage();
  return {
    process: user + system,
    javaScriptThread: javaScriptThreadMicros(),
    rss: process.memoryUsage.rss()
  };
}

/**
 * Serves echoes on a free loopback port until the runner goes away. Tells the runner
 * `{ port, version }` once it listens, and answers each message 'sample' with one.
 *
 * @param {{ WebSocketServer: Function, version: string }} library
 */
function serve({ WebSocketServer, version }) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

  server.on('listening', () => process.send({ port: server.address().port, version }));
  server.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  process.on('message', (message) => {
    if (message === 'sample') process.send(sample());
  });
  process.on('disconnect', () => process.exit());
}

module.exports = { serve };
