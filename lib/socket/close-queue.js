'use strict';

/*
 * Schedules the `close` of lazy sockets: in the closing phase of the event loop, in the order in which libuv closes handles
 * (last in, first out), each in a callback scope of its own. The addon calls back; src/addon/thread.js has the queue.
 */

const { environment, thread } = require('../native');

/** @param {{ close(): void }} socket its close() is called */
function closeLater(socket) {
  environment.callWhenClosing(thread.closeLater(socket));
}

module.exports = { closeLater };
