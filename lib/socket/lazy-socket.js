'use strict';

/*
 * The socket of a connection accepted by the addon. To programs it is a net.Socket; it has no handle, no streams and no emitter
 * until it is materialized (materialize.js). It implements the members that an opening handshake and a WebSocket use;
 * socket-states.js lists them per state. server/upgrade.js creates it.
 *
 * Its life is reported in the same ticks as that of a net.Socket: `end()` shuts down and then finishes, the end of the peer's
 * stream follows a tick after its record, and `close` follows in the closing phase of the event loop.
 */

const { getDefaultHighWaterMark } = require('stream');
const { inspect } = require('util');

const events = require('../connection/websocket-events');
const { kWebSocket } = require('../constants');
const { closeLater } = require('./close-queue');
const { createError } = require('../errors');
const { SocketFlag } = require('./socket-states');
const { callCurrent, defineLazyMembers, isLazy, materialize } = require('./materialize');
const { isUnpatched } = require('./replaced-members');
const { nextTick, setImmediate } = require('../node/schedule');

const { CLOSED, DESTROYED, ENDING, FINISHED, INPUT_ENDED, PEER_ENDED } = SocketFlag;

/** @typedef {InstanceType<typeof import('../server/listen-handle').ListenHandle>} ListenHandle */
/** @typedef {{ address?: string, family?: string, port?: number }} Address */

/**
 * A connection between its request and its adoption by a WebSocket.
 *
 * @typedef {Object} PendingUpgrade
 * @property {number} number of the connection in its listener
 * @property {number} bytesRead bytes of the request, and behind it
 * @property {boolean} isFresh true while `upgrade` is being emitted
 * @property {string} response the start of the response, not written yet
 * @property {{ written: number, unsent: Buffer }} [refusal] bytes of a refusal
 * @property {((error: Error) => void) | null} errorListener
 */

class LazySocket {
  /* Private: programs list, copy and log the properties of sockets. */
  /** @type {ListenHandle} the one that accepted it */
  #listenHandle;
  /** @type {PendingUpgrade | null} null: adopted by a WebSocket */
  #upgrade;
  /** @type {any} the NativeTransport of the WebSocket */
  #transport = null;
  /** Bits of SocketFlag. */
  #flags = 0;
  /** @type {Error | undefined} the argument of destroy() */
  #failure = undefined;
  /** @type {Address | undefined} cached by the first use, as in Node */
  #peername = undefined;

  /**
   * @param {ListenHandle} handle
   * @param {number} number of the connection in its listener
   * @param {number} bytesRead
   */
  constructor(handle, number, bytesRead) {
    this.#listenHandle = handle;
    const refusal = undefined;
    this.#upgrade = {
      number,
      bytesRead,
      isFresh: true,
      response: '',
      refusal,
      errorListener: null
    };
    /** @type {any} the types lack this name */
    const self = this;
    self[kWebSocket] = undefined;
  }

  // Static, because each name of a method may be one of Node's, and a private method needs memory in each instance.

  /**
   * @param {any} object
   * @returns {boolean} true if it was created by this class; it may have been materialized since
   */
  static isInstance(object) {
    return #flags in object;
  }

  /**
   * @param {LazySocket} socket
   * @returns {boolean} true if no WebSocket has adopted it, and it is not refused
   */
  static isPending(socket) {
    return socket.#upgrade !== null && (socket.#flags & ENDING) === 0;
  }

  /**
   * Writes a response, and ends the socket in the check phase; a net.Socket ends right before. Returns false if Node must write.
   * @param {any} socket pending @param {string} response
   */
  static refuse(socket, response) {
    const { listener, unwatched } = socket.#listenHandle;
    const upgrade = socket.#upgrade;
    if (upgrade === null || upgrade.response !== '' || (socket.#flags & ENDING) !== 0) return false;
    const bytes = Buffer.from(response);
    const written = listener.write(upgrade.number, bytes);
    if (written === null) return false;
    socket.#flags |= ENDING;
    upgrade.refusal = { written, unsent: bytes.subarray(written) };
    unwatched.add(socket);
    setImmediate(LazySocket.#endRefused, socket);
    if (written < bytes.length) materialize(socket);
    return true;
  }

  /** @param {any} socket may have been materialized */
  static #endRefused(socket) {
    const { listener, server, unwatched } = socket.#listenHandle;
    unwatched.delete(socket);
    if (!isLazy(socket)) return;
    listener.discard(socket.#upgrade.number);
    socket.#upgrade.number = 0xffffffff; // That of no connection.
    socket.#flags |= FINISHED | DESTROYED;
    server._connections--;
    server._emitCloseIfDrained();
    closeLater({ close: () => LazySocket.#close(socket) });
  }

  /**
   * Returns the state of a socket, for materialize.js.
   *
   * @param {LazySocket} socket
   */
  static stateOf(socket) {
    return {
      listenHandle: socket.#listenHandle,
      upgrade: socket.#upgrade,
      transport: socket.#transport,
      flags: socket.#flags,
      failure: socket.#failure,
      peername: socket.#peername
    };
  }

  /**
   * Marks the socket as adopted by a WebSocket.
   *
   * @param {LazySocket} socket pending
   * @param {any} transport the NativeTransport of the WebSocket
   * @returns {PendingUpgrade}
   */
  static takeUpgrade(socket, transport) {
    const upgrade = /** @type {PendingUpgrade} */ (socket.#upgrade);
    socket.#upgrade = null;
    socket.#transport = transport;
    return upgrade;
  }

  /**
   * Ends the `upgrade` event of a pending socket. Materializes it if the start of a response is queued, which must be written,
   * or if a listener has thrown: Node then notices when the client goes.
   *
   * @param {LazySocket} socket
   * @param {boolean} hasReturned false: a listener has thrown
   */
  static endUpgradeEvent(socket, hasReturned) {
    const upgrade = /** @type {PendingUpgrade} */ (socket.#upgrade);
    if (hasReturned && upgrade.response === '') upgrade.isFresh = false;
    else materialize(socket);
  }

  /**
   * Reports the end of the peer's stream.
   *
   * @param {any} socket may have been materialized
   */
  static #endInput(socket) {
    if (!isLazy(socket) || socket.destroyed) return;
    socket.#flags |= INPUT_ENDED;
    events.onSocketEnd(socket[kWebSocket], socket);
    if (isLazy(socket) && (socket.#flags & FINISHED) !== 0) socket.destroy();
  }

  /** @param {any} socket may have been materialized */
  static #finish(socket) {
    if (!isLazy(socket) || socket.destroyed) return;
    socket.#flags |= FINISHED;
    if ((socket.#flags & INPUT_ENDED) !== 0) socket.destroy();
  }

  /** @param {any} socket may have been materialized */
  static #close(socket) {
    if (!isLazy(socket)) {
      socket.emit('close', socket._hadError);
      return;
    }
    socket.#flags |= CLOSED;
    if (socket.#upgrade === null) events.onSocketClose(socket[kWebSocket], socket);
  }

  /**
   * @param {LazySocket} socket
   * @returns {Address} the address of the peer; empty if it was not read while the peer was connected
   */
  static #peerOf(socket) {
    const peername = socket.#peername ?? LazySocket.#readAddress(socket, 'remoteAddress');
    if (peername === null) return {};
    socket.#peername = peername;
    return peername;
  }

  /**
   * @param {LazySocket} socket
   * @returns {Address}
   */
  static #selfOf(socket) {
    return LazySocket.#readAddress(socket, 'localAddress') ?? {};
  }

  /**
   * @param {LazySocket} socket
   * @param {'localAddress' | 'remoteAddress'} which
   */
  static #readAddress(socket, which) {
    const upgrade = socket.#upgrade;
    return upgrade
      ? socket.#listenHandle.listener[which](upgrade.number)
      : socket.#transport.connection[which]();
  }

  // Properties

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

  /** 0 once adopted: a WebSocket calls setTimeout(0). */
  get timeout() {
    return this.#upgrade ? undefined : 0;
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
    const upgrade = this.#upgrade;
    if (upgrade && !this.destroyed)
      return upgrade.isFresh || this.#listenHandle.listener.isOpen(upgrade.number);
    return (this.#flags & (INPUT_ENDED | DESTROYED)) === 0;
  }

  get writable() {
    return (this.#flags & (ENDING | DESTROYED)) === 0;
  }

  get bytesRead() {
    return this.#upgrade?.bytesRead ?? this.#transport.bytesRead;
  }

  get bytesWritten() {
    return this.#upgrade ? materialize(this).bytesWritten : this.#transport.bytesWritten;
  }

  get writableLength() {
    return this.#upgrade ? materialize(this).writableLength : this.#transport.bufferedAmount;
  }

  get bufferSize() {
    return this.destroyed ? undefined : this.writableLength;
  }

  get remoteAddress() {
    return LazySocket.#peerOf(this).address;
  }

  get remoteFamily() {
    return LazySocket.#peerOf(this).family;
  }

  get remotePort() {
    return LazySocket.#peerOf(this).port;
  }

  get localAddress() {
    return LazySocket.#selfOf(this).address;
  }

  get localFamily() {
    return LazySocket.#selfOf(this).family;
  }

  get localPort() {
    return LazySocket.#selfOf(this).port;
  }

  // Methods used by an opening handshake

  /**
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  on(event, listener) {
    const upgrade = this.writable ? this.#upgrade : null;
    if (upgrade && event === 'error' && upgrade.errorListener === null) {
      upgrade.errorListener = listener;
      return this;
    }
    return callCurrent(this, 'on', [event, listener]);
  }

  /**
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  removeListener(event, listener) {
    const upgrade = this.#upgrade;
    if (upgrade && event === 'error' && upgrade.errorListener === listener) {
      upgrade.errorListener = null;
      return this;
    }
    return callCurrent(this, 'removeListener', [event, listener]);
  }

  /**
   * @param {any} chunk
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  write(chunk, encoding, callback) {
    const upgrade = this.#upgrade;
    const isPlain = typeof chunk === 'string' && encoding === undefined && callback === undefined;
    if (upgrade && isPlain && upgrade.response === '' && this.writable) {
      upgrade.response = chunk;
      // A 101 if a WebSocket adopts the socket in this tick; otherwise it has to be written. See endUpgradeEvent(), too.
      if (!upgrade.isFresh) nextTick(materializePending, this);
      return true;
    }
    return callCurrent(this, 'write', [chunk, encoding, callback]);
  }

  /**
   * @param {number} milliseconds
   * @param {any} [callback]
   */
  setTimeout(milliseconds, callback) {
    if (milliseconds === 0 && callback === undefined) return this;
    return callCurrent(this, 'setTimeout', [milliseconds, callback]);
  }

  /** @param {boolean} [enable] the addon has enabled it */
  setNoDelay(enable) {
    if (enable === undefined || enable === true) return this;
    return callCurrent(this, 'setNoDelay', [enable]);
  }

  // Methods used by a WebSocket

  ref() {
    if (this.#upgrade) return callCurrent(this, 'ref', []);
    if (!this.destroyed) this.#transport.setReferenced(true);
    return this;
  }

  unref() {
    if (this.#upgrade) return callCurrent(this, 'unref', []);
    this.#transport.setReferenced(false);
    return this;
  }

  /** As on each socket of an HTTP server. */
  setEncoding() {
    throw createError('SOCKET_ENCODING');
  }

  /** An adopted lazy socket is flowing: pause() materializes. */
  resume() {
    if (this.#upgrade) return callCurrent(this, 'resume', []);
    return this;
  }

  /**
   * @param {any} [chunk]
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  end(chunk, encoding, callback) {
    if (this.#upgrade || chunk !== undefined || callback !== undefined || !isUnpatched(this)) {
      return callCurrent(this, 'end', [chunk, encoding, callback]);
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
    // Node calls `_destroy()`, which a program may have replaced.
    if (this.#upgrade || Object.hasOwn(this, '_destroy') || !isUnpatched(this)) {
      return callCurrent(this, 'destroy', [error]);
    }
    if (this.destroyed) return this;
    this.#flags |= DESTROYED;
    if (error) this.#failure = error;
    this.#transport.handleSocketDestroy(error ?? null);
    if (error) nextTick(reportError, this, error);
    const { server } = this;
    server._connections--;
    server._emitCloseIfDrained();
    const { resource } = this.#transport;
    closeLater({ close: () => resource.runInAsyncScope(LazySocket.#close, undefined, this) });
    return this;
  }

  // Methods used by its transport; see DetachedSocket

  _nativeEnd() {
    this.#flags |= PEER_ENDED;
    nextTick(LazySocket.#endInput, this);
  }

  _nativeDrain() {}

  // Conversions show a net.Socket.

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
 * @param {any} socket
 * @returns {boolean} true if it is lazy and no WebSocket has adopted it
 */
function isUpgradePending(socket) {
  return isLazy(socket) && LazySocket.isPending(socket);
}

/**
 * Materializes a socket unless a WebSocket has adopted it: the addon neither writes its response nor notices when the client
 * goes, but Node does.
 *
 * @param {any} socket
 */
function materializePending(socket) {
  if (isUpgradePending(socket)) materialize(socket);
}

/**
 * @param {any} socket may have been materialized
 * @param {Error} error
 */
function reportError(socket, error) {
  if (isLazy(socket)) events.onSocketError(socket[kWebSocket], socket);
  else socket.emit('error', error);
}

defineLazyMembers(LazySocket);

module.exports = { LazySocket, isLazy, isUpgradePending, materializePending };
