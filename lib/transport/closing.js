'use strict';

/*
 * When accepted sockets emit `close`: in the phase of the loop in which Node's sockets do, each in a turn of its own.
 * accepted-socket.js calls it; the addon calls back.
 */

const { environment, thread } = require('../native');

/** @param {{ close(): void }} socket its close() is called */
function closeLater(socket) {
  if (thread.closeLater(socket)) environment.callWhenClosing();
}

module.exports = { closeLater };
