'use strict';

// Scenarios in which ferrows does otherwise than ws on purpose, with the reason. doc/differences.md tells users of each;
// compatibility.md takes the reasons from here. A scenario that is listed must differ: one that has become equal
// fails until it is taken off. But for those that vary: which of two threads is first decides.

/** @type {{ scenario: string, transports: string[], reason: string, varies?: boolean }[]} */
const DIFFERENCES = [
  {
    scenario: 'P1 order of replies and pongs within one chunk',
    transports: ['io_threads'],
    varies: true,
    reason:
      'pings are answered by the I/O thread, so a pong may overtake replies to earlier messages'
  },
  {
    scenario: 'P1 pings are not answered once a message listener has closed',
    transports: ['io_threads'],
    varies: true,
    reason: 'pings are answered by the I/O thread, before JavaScript has seen what came before them'
  },
  {
    scenario: 'P1 deflate: order of replies and pongs within one chunk',
    transports: ['io_threads'],
    varies: true,
    reason:
      'pings are answered by the I/O thread, so a pong may overtake replies to earlier messages'
  },
  {
    scenario: 'S7 deflate: a pong that is asked for while large messages leave',
    transports: ['io_threads'],
    varies: true,
    reason: 'pings are answered by the I/O thread, so a pong may overtake messages that wait'
  },
  {
    scenario: 'P1 pings answered by hand when pong is overridden',
    transports: ['io_threads'],
    varies: true,
    reason:
      'a `pong` that is replaced after `open` is noticed by the next delivery: the thread has answered what it read before'
  },
  {
    scenario: 'C18 sockets take other properties and overridden methods',
    transports: ['io_threads'],
    varies: true,
    reason:
      'a `pong` that is replaced after `open` is noticed by the next delivery: the thread has answered what it read before'
  },
  {
    scenario: '1.3 ws.pong overridden on the prototype of a subclass and on one socket (server)',
    transports: ['io_threads'],
    varies: true,
    reason:
      'a `pong` that is replaced after `open` is noticed by the next delivery: the thread has answered what it read before'
  },
  {
    scenario: 'R2 when a text that is none is noticed',
    transports: ['stream', 'event_loop', 'io_threads', 'shuffle'],
    reason: 'a text that is not UTF-8 fails at once, not with its last frame'
  },
  {
    scenario: 'R2 deflate: when an invalid first fragment is noticed',
    transports: ['stream', 'event_loop', 'io_threads', 'shuffle'],
    reason:
      'a text that is not UTF-8 fails with the fragment that makes it so, not with the last one'
  },
  {
    scenario: '1.3 members of WebSocketServer.prototype',
    transports: ['stream', 'event_loop', 'io_threads', 'shuffle'],
    reason: 'it has one member more, `stats`'
  }
];

/**
 * @param {string} name of a scenario, its role in brackets
 * @param {string} transport
 * @returns {(typeof DIFFERENCES)[0] | undefined} its entry for this transport; undefined: it must be equal
 */
function entryOf(name, transport) {
  return DIFFERENCES.find(
    ({ scenario, transports }) =>
      transports.includes(transport) && (name === scenario || name.startsWith(`${scenario} (`))
  );
}

/**
 * @param {string} name
 * @param {string} transport
 * @returns {string | null} why it differs from ws over this transport; null: it must not
 */
const reasonFor = (name, transport) => entryOf(name, transport)?.reason ?? null;

/**
 * @param {string} name
 * @param {string} transport
 * @returns {boolean} whether it may be equal, too
 */
const varies = (name, transport) => entryOf(name, transport)?.varies ?? false;

module.exports = { DIFFERENCES, reasonFor, varies };
