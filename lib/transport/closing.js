'use strict';

/*
 * When accepted sockets emit `close`: in the phase of the loop in which Node's sockets do, each in a turn of its own.
 * accepted-socket.js calls it; the addon calls back.
 */

const { NOBODY, environment, setOwner } = require('../native');

/** @typedef {{ close(): void }} Closing */

/**
 * Sockets that were destroyed and have not told so.
 *
 * @type {Closing[]}
 */
let waiting = [];
/** How many of them have told so. */
let done = 0;

/** @param {Closing} socket its close() is called */
function closeLater(socket) {
  waiting.push(socket);
  if (waiting.length === 1) environment.callWhenClosing();
}

// What has no connection any more comes under the number of nobody.
setOwner(NOBODY, {
  /** @returns {boolean} whether there are more */
  deliver() {
    if (done < waiting.length) {
      waiting[done++].close();
      return true;
    }
    waiting = [];
    done = 0;
    return false;
  }
});

module.exports = { closeLater };
