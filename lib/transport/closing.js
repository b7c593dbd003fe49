'use strict';

/*
 * When accepted sockets emit `close`: in the phase of the loop in which Node's sockets do, and in the same order among
 * them (the loop tells of the handle that was closed last first), each in a callback scope of its own.
 * accepted-socket.js calls it; the addon calls back.
 */

const { NOBODY, environment, setOwner } = require('../native');

/** @typedef {{ close(): void }} Closing */

/**
 * Sockets that were destroyed and have not told so, by numbers.
 *
 * @type {Map<number, Closing>}
 */
const waiting = new Map();
let next = 0;

/** @param {Closing} socket its close() is called */
function closeLater(socket) {
  next = (next + 1) >>> 0;
  waiting.set(next, socket);
  environment.callWhenClosing(next);
}

// What has no connection any more comes under the number of nobody.
setOwner(NOBODY, {
  /**
   * @param {number} number
   * @returns {boolean} whether to be called again
   */
  deliver(number) {
    const socket = waiting.get(number);
    waiting.delete(number);
    socket?.close();
    return false;
  }
});

module.exports = { closeLater };
