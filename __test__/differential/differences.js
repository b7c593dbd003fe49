'use strict';

// Scenarios in which ferrows differs from ws on purpose. doc/differences.md explains each difference, and doc/compatibility.md lists
// these scenarios. A listed scenario must differ, unless its result varies with the scheduling of I/O threads.

/** @typedef {{ scenario: string, transports: string[], reason: string, varies?: boolean }} Difference */

const ALL = ['stream', 'event_loop', 'io_threads'];

/** I/O threads answer pings when they read them. */
const PONG_FIRST =
  'an I/O thread answers a ping when it reads it, before JavaScript handles the messages before it';

/** A replaced method is detected at the next delivery. */
const LATE_OVERRIDE =
  'a `pong` method replaced after `open` takes effect with the next delivery; the I/O thread has answered the pings that it read before';

/** @type {Difference[]} */
const DIFFERENCES = [
  ...[
    ['P1 order of replies and pongs within one chunk', PONG_FIRST],
    ['P1 pings are not answered once a message listener has closed', PONG_FIRST],
    ['P1 deflate: order of replies and pongs within one chunk', PONG_FIRST],
    ['S7 deflate: an automatic pong while large messages are sent', PONG_FIRST],
    ['P1 pings answered by an overridden pong', LATE_OVERRIDE],
    ['C18 extra properties and overridden methods', LATE_OVERRIDE],
    [
      '1.3 ws.pong overridden on the prototype of a subclass and on one socket (server)',
      LATE_OVERRIDE
    ]
  ].map(([scenario, reason]) => ({ scenario, transports: ['io_threads'], varies: true, reason })),
  {
    scenario: 'R2 time of the error of an invalid text',
    transports: ALL,
    reason: 'text that is not UTF-8 fails at the first invalid byte, not at the last frame'
  },
  {
    scenario: 'R2 deflate: time of the error of an invalid first fragment',
    transports: ALL,
    reason: 'text that is not UTF-8 fails with the first invalid fragment, not with the last one'
  },
  {
    scenario: '1.3 members of WebSocketServer.prototype',
    transports: ALL,
    reason: '`stats()` is an additional member'
  }
];

/**
 * @param {string} name of a scenario, with its role in parentheses
 * @param {string} transport
 * @returns {Difference | undefined} undefined if the scenario must be equal over this transport
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
 * @returns {string | null} the reason for a difference over this transport; null if there must be none
 */
const reasonFor = (name, transport) => entryOf(name, transport)?.reason ?? null;

/**
 * @param {string} name
 * @param {string} transport
 * @returns {boolean} true if the scenario may be equal in some runs
 */
const varies = (name, transport) => entryOf(name, transport)?.varies ?? false;

/** @returns {string} a Markdown table of all listed differences, for doc/compatibility.md */
function differencesTable() {
  const rows = DIFFERENCES.map(({ scenario, transports, varies: mayVary, reason }) => {
    const where = transports === ALL ? 'all' : transports.join(', ');
    return `| \`${scenario}\` | ${where}${mayVary ? ', in some runs' : ''} | ${reason} |`;
  });
  return ['| scenario | transports | difference |', '| --- | --- | --- |', ...rows].join('\n');
}

module.exports = { DIFFERENCES, differencesTable, reasonFor, varies };
