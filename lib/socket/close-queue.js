'use strict';

/*
 * When accepted sockets emit `close`: in the phase of the loop in which Node's sockets do, and in the same order among
 * them (the loop tells of the handle that was closed last first), each in a callback scope of its own.
 * accepted-socket.js calls it; the addon calls back.
 */

const { environment, thread } = require('../native');

/** @param {{ close(): void }} socket its close() is called */
function closeLater(socket) {
  environment.callWhenClosing(thread.closeLater(socket));
}

module.exports = { closeLater };
