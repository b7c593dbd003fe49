'use strict';

/*
 * The states of the socket of an accepted connection, and what becomes of its members in each. accepted-socket.js has the members
 * of an untouched one, touched-socket.js makes a real one in the same state; __test__/listener/members.test.js tests the table.
 */

/** Facts about an accepted socket that a WebSocket has, as bits. */
const SocketFlag = {
  ENDING: 1,
  FINISHED: 2,
  /** The end of the peer has been read, which is told a tick later. */
  PEER_ENDED: 4,
  INPUT_OVER: 8,
  DESTROYED: 16,
  CLOSED: 32
};

/** Members that tell or do the same in every state. */
const ALWAYS = [
  '_server',
  'allowHalfOpen',
  'bytesRead',
  'connecting',
  'destroyed',
  'localAddress',
  'localFamily',
  'localPort',
  'parser',
  'pending',
  'readable',
  'readableHighWaterMark',
  'remoteAddress',
  'remoteFamily',
  'remotePort',
  'server',
  'setEncoding',
  'setNoDelay',
  'setTimeout',
  'timeout',
  'writable'
];

/** Members that only a socket has that a WebSocket has taken. */
const TAKEN = [
  ...ALWAYS,
  'bufferSize',
  'bytesWritten',
  'destroy',
  'end',
  'ref',
  'resume',
  'unref',
  'writableLength'
];

/**
 * The states of a socket that is not touched. `descriptor`: which side has it. `reader`: which side reads it. `members`: those
 * that do not touch; called with arguments that only Node handles, a method of these touches, too. Every other member touches:
 * then Node has the descriptor (or a duplicate, where the connection has one) and the socket goes on in the same state, as a
 * plain net.Socket where the descriptor was the listener's, as a parked one where it was the connection's.
 *
 * A member works on whatever the socket is when it is called: the methods of this prototype look first, and call those of the
 * present prototype where the socket has been touched since they were taken from it.
 *
 * A method that a program has defined on the socket itself does not touch. Before a WebSocket takes it, the socket is touched
 * and its bytes are Node's (index.js); afterwards the connection notices it when it sends or delivers next (members.js).
 *
 * @type {Record<string, { descriptor: string, reader: string, members: string[] }>}
 */
const STATES = {
  /** While `upgrade` is being emitted. */
  fresh: {
    descriptor: 'listener',
    reader: 'none',
    members: [...ALWAYS, 'on', 'removeListener', 'write']
  },
  /** Later, with no answer yet. After a second Node watches it (arriving.js). */
  pending: {
    descriptor: 'listener',
    reader: 'none',
    members: [...ALWAYS, 'on', 'removeListener', 'write']
  },
  /** The beginning of a response is queued. Unless a WebSocket takes it at once, it is touched. */
  responded: {
    descriptor: 'listener',
    reader: 'none',
    members: [...ALWAYS, 'on', 'removeListener']
  },
  /** A WebSocket has it. */
  open: { descriptor: 'connection', reader: 'addon', members: TAKEN },
  /** end() was called. */
  ending: { descriptor: 'connection', reader: 'addon', members: TAKEN },
  /** The end of the peer has come. */
  peerEnded: { descriptor: 'connection', reader: 'none', members: TAKEN },
  /** destroy() was called. */
  destroyed: { descriptor: 'none', reader: 'none', members: TAKEN },
  /** `close` was emitted. */
  closed: { descriptor: 'none', reader: 'none', members: TAKEN }
};

module.exports = { SocketFlag, STATES };
