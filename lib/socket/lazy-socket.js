'use strict';

/*
 * The socket of a connection that came by the listener. Programs see a net.Socket; it costs next to nothing until it is
 * touched: what an opening handshake and the life of a WebSocket need of it is here, and anything else makes it a real one
 * (touched-socket.js). From then on this file has no part in it. listener/arriving.js makes it.
 *
 * Its states are in socket-states.js. Its life is that of a net.Socket, told in the same ticks: `end()` shuts down and then finishes, the end of the peer comes
 * a tick after its record, destroying tells the WebSocket in a later turn of the loop.
 */

const { getDefaultHighWaterMark } = require('stream');
const { inspect } = require('util');

const events = require('../connection/websocket-events');
const { kWebSocket } = require('../constants');
const { closeLater } = require('./close-queue');
const { createError } = require('../errors');
const { SocketFlag } = require('./socket-states');
const { callMaterialized, isLazy, defineLazyMembers, materialize } = require('./materialize');
const { isUnpatched } = require('./replaced-members');
const { nextTick } = require('../node/schedule');

const { CLOSED, DESTROYED, ENDING, FINISHED, INPUT_OVER, PEER_ENDED } = SocketFlag;

/** @typedef {InstanceType<typeof import('../server/listen-handle').ListenHandle>} ListenHandle */

/**
 * What there is of a connection until a WebSocket has it.
 *
 * @typedef {Object} Held
 * @property {number} number what the listener knows it by
 * @property {number} bytesRead bytes of the request, and what came behind it
 * @property {boolean} isFresh whether it came a moment ago: nothing has become of it since
 * @property {string} response the beginning of what it is sent
 * @property {((error: Error) => void) | null} errorListener
 */

class LazySocket {
  /* Private: programs list, copy and log the properties of sockets. */
  /** @type {ListenHandle} where it came */
  #listenHandle;
  /** @type {Held | null} null: a WebSocket has it */
  #held;
  /** @type {any} the NativeTransport of that WebSocket */
  #transport = null;
  #flags = 0;
  /** @type {Error | undefined} what it was destroyed with */
  #failure = undefined;
  /** @type {{ address?: string, family?: string, port?: number } | undefined} Node keeps it once it was asked for */
  #peername = undefined;

  /**
   * @param {ListenHandle} handle where it came
   * @param {number} number of the held connection
   * @param {number} bytesRead
   */
  constructor(handle, number, bytesRead) {
    this.#listenHandle = handle;
    this.#held = { number, bytesRead, isFresh: true, response: '', errorListener: null };
    /** @type {any} the types do not know this name */
    const self = this;
    self[kWebSocket] = undefined;
  }

  /**
   * Whether an object was made by this class. It may have been touched since.
   *
   * @param {any} object
   */
  static isOne(object) {
    return #flags in object;
  }

  /**
   * For touched-socket.js: the state of an untouched socket.
   *
   * @param {LazySocket} socket
   */
  static stateOf(socket) {
    return {
      listenHandle: socket.#listenHandle,
      held: socket.#held,
      transport: socket.#transport,
      flags: socket.#flags,
      failure: socket.#failure,
      peername: socket.#peername
    };
  }

  /**
   * @param {LazySocket} socket
   * @returns {Held | null} null: a WebSocket has it
   */
  static upgradeOf(socket) {
    return socket.#held;
  }

  /**
   * The end of the peer is told.
   *
   * @param {any} socket which may be a real one by now
   */
  static #endInput(socket) {
    if (!isLazy(socket) || socket.destroyed) return;
    socket.#flags |= INPUT_OVER;
    events.onSocketEnd(socket[kWebSocket], socket);
    if (isLazy(socket) && (socket.#flags & FINISHED) !== 0) socket.destroy();
  }

  /** @param {any} socket */
  static #finish(socket) {
    if (!isLazy(socket) || socket.destroyed) return;
    socket.#flags |= FINISHED;
    if ((socket.#flags & INPUT_OVER) !== 0) socket.destroy();
  }

  /** @param {any} socket */
  static #close(socket) {
    if (!isLazy(socket)) {
      socket.emit('close', socket._hadError);
      return;
    }
    socket.#flags |= CLOSED;
    events.onSocketClose(socket[kWebSocket], socket);
  }

  /**
   * The address of the other end. Node keeps what was asked for while it was there.
   *
   * @returns {{ address?: string, family?: string, port?: number }}
   */
  get #peer() {
    const peername = this.#peername ?? this.#endOf('remoteAddress');
    if (peername === null) return {};
    this.#peername = peername;
    return peername;
  }

  /** @returns {{ address?: string, family?: string, port?: number }} */
  get #self() {
    return this.#endOf('localAddress') ?? {};
  }

  /** @param {'localAddress' | 'remoteAddress'} which */
  #endOf(which) {
    const held = this.#held;
    return held
      ? this.#listenHandle.listener[which](held.number)
      : this.#transport.connection[which]();
  }

  /**
   * Gives the held connection away, to a WebSocket. No method: each name may be one of Node's.
   *
   * @param {LazySocket} socket
   * @param {any} transport
   * @returns {Held}
   */
  static take(socket, transport) {
    const held = /** @type {Held} */ (socket.#held);
    socket.#held = null;
    socket.#transport = transport;
    return held;
  }

  // What can be told without being one

  get server() {
    return this.#listenHandle.server;
  }

  get _server() {
    return this.#listenHandle.server;
  }

  get parser() {
    return null;
  }

  get allowHalfOpen() {
    return true;
  }

  get connecting() {
    return false;
  }

  get pending() {
    return this.destroyed;
  }

  /** That of setTimeout(), which a WebSocket has set to none. */
  get timeout() {
    return this.#held ? undefined : 0;
  }

  set timeout(value) {
    materialize(this).timeout = value;
  }

  get readableHighWaterMark() {
    return getDefaultHighWaterMark(false);
  }

  get destroyed() {
    return (this.#flags & DESTROYED) !== 0;
  }

  get readable() {
    const held = this.#held;
    if (held) return held.isFresh || this.#listenHandle.listener.isOpen(held.number);
    return (this.#flags & (INPUT_OVER | DESTROYED)) === 0;
  }

  get writable() {
    return (this.#flags & (ENDING | DESTROYED)) === 0;
  }

  get bytesRead() {
    return this.#held?.bytesRead ?? this.#transport.bytesRead;
  }

  get bytesWritten() {
    return this.#held ? materialize(this).bytesWritten : this.#transport.bytesWritten;
  }

  get writableLength() {
    return this.#held ? materialize(this).writableLength : this.#transport.bufferedAmount;
  }

  get bufferSize() {
    return this.destroyed ? undefined : this.writableLength;
  }

  get remoteAddress() {
    return this.#peer.address;
  }

  get remoteFamily() {
    return this.#peer.family;
  }

  get remotePort() {
    return this.#peer.port;
  }

  get localAddress() {
    return this.#self.address;
  }

  get localFamily() {
    return this.#self.family;
  }

  get localPort() {
    return this.#self.port;
  }

  // What an opening handshake does

  /**
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  on(event, listener) {
    const held = this.#held;
    if (held && event === 'error' && held.errorListener === null) {
      held.errorListener = listener;
      return this;
    }
    return callMaterialized(this, 'on', [event, listener]);
  }

  /**
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  removeListener(event, listener) {
    const held = this.#held;
    if (held && event === 'error' && held.errorListener === listener) {
      held.errorListener = null;
      return this;
    }
    return callMaterialized(this, 'removeListener', [event, listener]);
  }

  /**
   * @param {any} chunk
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  write(chunk, encoding, callback) {
    const held = this.#held;
    const isPlain = typeof chunk === 'string' && encoding === undefined && callback === undefined;
    if (held && isPlain && held.response === '') {
      held.response = chunk;
      // It is the 101 if a WebSocket takes the connection at once; otherwise it has to leave. See settle(), too.
      if (!held.isFresh) nextTick(watch, this);
      return true;
    }
    return callMaterialized(this, 'write', [chunk, encoding, callback]);
  }

  /**
   * @param {number} milliseconds
   * @param {any} [callback]
   */
  setTimeout(milliseconds, callback) {
    if (milliseconds === 0 && callback === undefined) return this;
    return callMaterialized(this, 'setTimeout', [milliseconds, callback]);
  }

  /** @param {boolean} [enable] it is, from the beginning */
  setNoDelay(enable) {
    if (enable === undefined || enable === true) return this;
    return callMaterialized(this, 'setNoDelay', [enable]);
  }

  // What a WebSocket does

  ref() {
    if (this.#held) return callMaterialized(this, 'ref', []);
    if (!this.destroyed) this.#transport.setReferenced(true);
    return this;
  }

  unref() {
    if (this.#held) return callMaterialized(this, 'unref', []);
    this.#transport.setReferenced(false);
    return this;
  }

  /** As on each socket of an HTTP server. */
  setEncoding() {
    throw createError('SOCKET_ENCODING');
  }

  /** It flows: one that is paused has been touched. */
  resume() {
    if (this.#held) return callMaterialized(this, 'resume', []);
    return this;
  }

  /**
   * @param {any} [chunk]
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  end(chunk, encoding, callback) {
    if (this.#held || chunk !== undefined || callback !== undefined || !isUnpatched(this)) {
      return callMaterialized(this, 'end', [chunk, encoding, callback]);
    }
    if (this.writable) {
      this.#flags |= ENDING;
      this.#transport.isOutputEnded = true;
      this.#transport.shutdown((/** @type {any} */ error) => {
        if (error) this.destroy(error);
        else nextTick(LazySocket.#finish, this);
      });
    }
    return this;
  }

  /** @param {Error} [error] */
  destroy(error) {
    // Node asks `_destroy()`, which may be the program's own.
    if (this.#held || Object.hasOwn(this, '_destroy') || !isUnpatched(this)) {
      return callMaterialized(this, 'destroy', [error]);
    }
    if (this.destroyed) return this;
    this.#flags |= DESTROYED;
    if (error) this.#failure = error;
    this.#transport.handleSocketDestroy(error ?? null);
    if (error) nextTick(fail, this, error);
    const { server } = this;
    server._connections--;
    server._emitCloseIfDrained();
    const { resource } = this.#transport;
    closeLater({ close: () => resource.runInAsyncScope(LazySocket.#close, undefined, this) });
    return this;
  }

  // What its transport has to tell; see DetachedSocket

  _nativeEnd() {
    this.#flags |= PEER_ENDED;
    nextTick(LazySocket.#endInput, this);
  }

  _nativeDrain() {}

  /** What JSON sees is a real one. */
  toJSON() {
    return materialize(this);
  }

  /**
   * @param {number} _depth
   * @param {import('util').InspectOptions} options
   */
  [inspect.custom](_depth, options) {
    return inspect(materialize(this), options);
  }
}

/**
 * The listeners of `upgrade` have returned: from now on something may become of the connection while it is held. After an
 * exception Node watches it, and notices when the client goes: there may be no other user.
 *
 * @param {any} socket
 * @param {boolean} hasReturned
 */
function settle(socket, hasReturned) {
  if (!isHeld(socket)) return;
  const held = /** @type {Held} */ (LazySocket.upgradeOf(socket));
  if (hasReturned && held.response === '') held.isFresh = false;
  else materialize(socket);
}

/**
 * Has Node watch whether the client of a connection that is still held is there, and write what it was to be sent: the
 * listener does neither.
 *
 * @param {any} socket
 */
function watch(socket) {
  if (isHeld(socket)) materialize(socket);
}

/**
 * Whether no WebSocket has it, and it is not touched.
 *
 * @param {any} socket
 * @returns {boolean}
 */
function isHeld(socket) {
  return isLazy(socket) && LazySocket.upgradeOf(socket) !== null;
}

/**
 * @param {any} socket
 * @param {Error} error
 */
function fail(socket, error) {
  if (isLazy(socket)) events.onSocketError(socket[kWebSocket], socket);
  else socket.emit('error', error);
}

defineLazyMembers(LazySocket);

module.exports = { LazySocket, isHeld, isLazy, settle, watch };
