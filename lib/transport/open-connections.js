'use strict';

/*
 * Counts the open connections of this copy of the package. As long as there are any, the addon sweeps idle connections, and
 * queued output is written when the process exits. The transports call it; src/addon/thread.js has the timer and the
 * listener, which all copies in a thread share.
 */

const { environment, thread } = require('../native');
const { flushAtExit } = require('./flush-scheduler');

let connections = 0;

function connectionOpened() {
  thread.connectionOpened(environment);
  // An 'exit' listener may be the first to send.
  if (connections++ === 0) thread.flushAtExit(flushAtExit);
}

function connectionClosed() {
  thread.connectionClosed();
  if (--connections === 0) thread.exitHooks.delete(flushAtExit);
}

module.exports = { connectionClosed, connectionOpened };
