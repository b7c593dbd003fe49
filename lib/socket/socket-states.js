'use strict';

/*
 * The states of a lazy socket, and its members that work without materializing it. lazy-socket.js implements these members,
 * materialize.js creates a net.Socket in the same state; __test__/listener/socket-members.test.js checks the table.
 */

/** Flags of a lazy socket that a WebSocket has adopted, or whose upgrade was refused. */
const SocketFlag = {
  /** end() was called. */
  ENDING: 1,
  /** The writing side has been shut down. */
  FINISHED: 2,
  /** The end of the peer's stream has been read; it is reported a tick later. */
  PEER_ENDED: 4,
  /** The end of the peer's stream has been reported. */
  INPUT_ENDED: 8,
  DESTROYED: 16,
  /** `close` was reported. */
  CLOSED: 32
};

/** Members that work in every state. */
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

/** Members that work once a WebSocket has adopted the socket. */
const ADOPTED = [
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
 * The states of a lazy socket.
 *
 * - `descriptor`: which object of the addon owns the descriptor;
 * - `reader`: who reads from it;
 * - `members`: those that work without materializing. A method among them materializes if called with arguments that only
 *   Node handles.
 *
 * Every other member materializes the socket: it goes on in the same state, as a plain net.Socket where the listener owned
 * the descriptor, as a detached socket where the connection did. A handle of Node then owns the descriptor.
 *
 * A method may be taken from a lazy socket and called later: it first checks the kind of the socket, and calls the method of
 * the current prototype if the socket has been materialized.
 *
 * A method that a program defines on the socket itself does not materialize it. Such a socket is materialized before a
 * WebSocket adopts it, and carried by a stream (transport/index.js); later, the connection detects the method at its next send
 * or delivery (replaced-members.js).
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
  /** Afterwards, without a response yet. After a second the socket is materialized (server/upgrade.js). */
  pending: {
    descriptor: 'listener',
    reader: 'none',
    members: [...ALWAYS, 'on', 'removeListener', 'write']
  },
  /** The start of a response is queued. Unless a WebSocket adopts the socket, it is materialized by the next tick. */
  responded: {
    descriptor: 'listener',
    reader: 'none',
    members: [...ALWAYS, 'on', 'removeListener']
  },
  /** The upgrade was refused: the response is written, and the addon ends the socket in the check phase. */
  refused: { descriptor: 'listener', reader: 'none', members: ALWAYS },
  /** The addon has ended it. */
  refusedClosed: { descriptor: 'none', reader: 'none', members: ALWAYS },
  /** Adopted by a WebSocket. */
  open: { descriptor: 'connection', reader: 'addon', members: ADOPTED },
  /** end() was called. */
  ending: { descriptor: 'connection', reader: 'addon', members: ADOPTED },
  /** The end of the peer's stream was read. */
  peerEnded: { descriptor: 'connection', reader: 'none', members: ADOPTED },
  /** destroy() was called. */
  destroyed: { descriptor: 'none', reader: 'none', members: ADOPTED },
  /** `close` was reported. */
  closed: { descriptor: 'none', reader: 'none', members: ADOPTED }
};

module.exports = { STATES, SocketFlag };
