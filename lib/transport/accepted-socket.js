'use strict';

/*
 * The socket of a connection that came by the listener. It is a net.Socket to whoever looks, and costs next to nothing
 * until somebody does: what an opening handshake and the life of a WebSocket need of it is here; anything else makes it
 * a real one (touched-socket.js), and from then on this file has no part in it. listener/arriving.js makes it.
 *
 * Its life is that of a net.Socket, told in the same ticks: `end()` shuts down and then finishes, the end of the peer comes
 * a tick after its record, destroying tells the WebSocket in a later turn of the loop.
 */

const net = require('net');
const { getDefaultHighWaterMark } = require('stream');
const { inspect } = require('util');

const events = require('../connection-events');
const { kTransport, kWebSocket } = require('../constants');
const { closeLater } = require('./closing');
const { Fact, touchBy, touched } = require('./touched-socket');
const { nextTick } = require('../schedule');

const { CLOSED, DESTROYED, ENDING, FINISHED, INPUT_OVER, PEER_ENDED } = Fact;

/** @typedef {InstanceType<typeof import('../listener/listen-handle').ListenHandle>} ListenHandle */

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

class AcceptedSocket {
  /**
   * @param {ListenHandle} handle where it came
   * @param {number} number of the held connection
   * @param {number} bytesRead
   */
  constructor(handle, number, bytesRead) {
    this._listenHandle = handle;
    /** @type {Held | null} null: a WebSocket has it */
    this._held = { number, bytesRead, isFresh: true, response: '', errorListener: null };
    /** @type {any} the types do not know these names */
    const self = this;
    self[kTransport] = null;
    self[kWebSocket] = undefined;
    this._facts = 0;
  }

  /**
   * Gives the held connection away, to a WebSocket.
   *
   * @param {any} transport
   * @returns {Held}
   */
  take(transport) {
    const held = /** @type {Held} */ (this._held);
    this._held = null;
    /** @type {any} */
    const self = this;
    self[kTransport] = transport;
    return held;
  }

  // What can be told without being one

  get server() {
    return this._listenHandle.server;
  }

  get _server() {
    return this._listenHandle.server;
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
    return false;
  }

  /** That of setTimeout(), which a WebSocket has set to none. */
  get timeout() {
    return this._held ? undefined : 0;
  }

  set timeout(value) {
    touched(this).timeout = value;
  }

  get readableHighWaterMark() {
    return getDefaultHighWaterMark(false);
  }

  get destroyed() {
    return (this._facts & DESTROYED) !== 0;
  }

  get readable() {
    const held = this._held;
    if (held) return held.isFresh || this._listenHandle.listener.isOpen(held.number);
    return (this._facts & (INPUT_OVER | DESTROYED)) === 0;
  }

  get writable() {
    return (this._facts & (ENDING | DESTROYED)) === 0;
  }

  get bytesRead() {
    return this._held?.bytesRead ?? transportOf(this).bytesRead;
  }

  get bytesWritten() {
    return this._held ? touched(this).bytesWritten : transportOf(this).bytesWritten;
  }

  get writableLength() {
    return this._held ? touched(this).writableLength : transportOf(this).bufferedAmount;
  }

  get bufferSize() {
    return this.writableLength;
  }

  get remoteAddress() {
    return peerOf(this).address;
  }

  get remoteFamily() {
    return peerOf(this).family;
  }

  get remotePort() {
    return peerOf(this).port;
  }

  get localAddress() {
    return selfOf(this).address;
  }

  get localFamily() {
    return selfOf(this).family;
  }

  get localPort() {
    return selfOf(this).port;
  }

  // What an opening handshake does

  /**
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  on(event, listener) {
    const held = this._held;
    if (held && event === 'error' && held.errorListener === null) {
      held.errorListener = listener;
      return this;
    }
    return touched(this).on(event, listener);
  }

  /**
   * @param {string | symbol} event
   * @param {(...args: any[]) => void} listener
   */
  removeListener(event, listener) {
    const held = this._held;
    if (held && event === 'error' && held.errorListener === listener) {
      held.errorListener = null;
      return this;
    }
    return touched(this).removeListener(event, listener);
  }

  /**
   * @param {any} chunk
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  write(chunk, encoding, callback) {
    const held = this._held;
    const isPlain = typeof chunk === 'string' && encoding === undefined && callback === undefined;
    if (held && isPlain && held.response === '') {
      held.response = chunk;
      // It is the 101 if a WebSocket takes the connection at once; otherwise it has to leave. See settle(), too.
      if (!held.isFresh) nextTick(watch, this);
      return true;
    }
    return touched(this).write(chunk, encoding, callback);
  }

  /**
   * @param {number} milliseconds
   * @param {any} [callback]
   */
  setTimeout(milliseconds, callback) {
    if (milliseconds === 0 && callback === undefined) return this;
    return touched(this).setTimeout(milliseconds, callback);
  }

  /** @param {boolean} [enable] it is, from the beginning */
  setNoDelay(enable) {
    if (enable === undefined || enable === true) return this;
    return touched(this).setNoDelay(enable);
  }

  // What a WebSocket does

  ref() {
    if (this._held) return touched(this).ref();
    if (!this.destroyed) transportOf(this).setReferenced(true);
    return this;
  }

  unref() {
    if (this._held) return touched(this).unref();
    transportOf(this).setReferenced(false);
    return this;
  }

  /** It flows: one that is paused has been touched. */
  resume() {
    if (this._held) return touched(this).resume();
    return this;
  }

  /**
   * @param {any} [chunk]
   * @param {any} [encoding]
   * @param {any} [callback]
   */
  end(chunk, encoding, callback) {
    if (this._held || chunk !== undefined || callback !== undefined) {
      return touched(this).end(chunk, encoding, callback);
    }
    if (this.writable) {
      this._facts |= ENDING;
      transportOf(this).isCut = true;
      transportOf(this).shutdown((/** @type {any} */ error) => {
        if (error) this.destroy(error);
        else nextTick(finish, this);
      });
    }
    return this;
  }

  /** @param {Error} [error] */
  destroy(error) {
    if (this._held) return touched(this).destroy(error);
    if (this.destroyed) return this;
    this._facts |= DESTROYED;
    /** @type {Error | undefined} few ever have one */
    if (error) this._failure = error;
    transportOf(this).socketDestroyed(error ?? null);
    if (error) nextTick(fail, this, error);
    const { server } = this;
    server._connections--;
    server._emitCloseIfDrained();
    const { resource } = transportOf(this);
    closeLater({ close: () => resource.runInAsyncScope(close, undefined, this) });
    return this;
  }

  // What its transport has to tell; see ParkedSocket

  _nativeEnd() {
    this._facts |= PEER_ENDED;
    nextTick(endInput, this);
  }

  _nativeDrain() {}

  /**
   * @param {number} _depth
   * @param {import('util').InspectOptions} options
   */
  [inspect.custom](_depth, options) {
    return inspect(touched(this), options);
  }
}

/**
 * @param {any} socket that a WebSocket has
 * @returns {any} its PlainSocketTransport
 */
function transportOf(socket) {
  return socket[kTransport];
}

/**
 * Whoever was told of it has returned: from now on something may become of it while it is held. If he threw, nobody may ever
 * come back to it: then Node watches it, who notices when the client goes.
 *
 * @param {any} socket
 * @param {boolean} hasReturned
 */
function settle(socket, hasReturned) {
  if (!isHeld(socket)) return;
  if (hasReturned && socket._held.response === '') socket._held.isFresh = false;
  else touched(socket);
}

/**
 * Has Node watch whether the client of a connection that is still held is there, and write what it was to be sent: the
 * listener does neither.
 *
 * @param {any} socket
 */
function watch(socket) {
  if (isHeld(socket)) touched(socket);
}

/**
 * Whether no WebSocket has it, and nobody has touched it.
 *
 * @param {any} socket
 * @returns {boolean}
 */
function isHeld(socket) {
  return isUntouched(socket) && socket._held !== null;
}

/** @param {any} socket which may be a real one by now */
function endInput(socket) {
  if (!isUntouched(socket) || socket.destroyed) return;
  socket._facts |= INPUT_OVER;
  events.onSocketEnd(socket[kWebSocket], socket);
  if (isUntouched(socket) && (socket._facts & FINISHED) !== 0) socket.destroy();
}

/** @param {any} socket */
function finish(socket) {
  if (!isUntouched(socket) || socket.destroyed) return;
  socket._facts |= FINISHED;
  if ((socket._facts & INPUT_OVER) !== 0) socket.destroy();
}

/**
 * @param {any} socket
 * @param {Error} error
 */
function fail(socket, error) {
  if (isUntouched(socket)) events.onSocketError(socket[kWebSocket], socket);
  else socket.emit('error', error);
}

/** @param {any} socket */
function close(socket) {
  if (!isUntouched(socket)) {
    socket.emit('close', socket._hadError);
    return;
  }
  socket._facts |= CLOSED;
  events.onSocketClose(socket[kWebSocket], socket);
}

/**
 * The address of the other end. Node keeps what was asked for while it was there.
 *
 * @param {any} socket
 * @returns {{ address?: string, family?: string, port?: number }}
 */
function peerOf(socket) {
  if (socket._peername === undefined) {
    const end = endOf(socket, 'remoteAddress');
    if (end === null) return {};
    socket._peername = end;
  }
  return socket._peername;
}

/**
 * @param {any} socket
 * @returns {{ address?: string, family?: string, port?: number }}
 */
function selfOf(socket) {
  return endOf(socket, 'localAddress') ?? {};
}

/**
 * @param {any} socket
 * @param {'localAddress' | 'remoteAddress'} which
 */
function endOf(socket, which) {
  const { _held: held, _listenHandle: handle, [kTransport]: transport } = socket;
  return held ? handle.listener[which](held.number) : transport.connection[which]();
}

/**
 * Whether it is still what is described here.
 *
 * @param {any} socket any Duplex
 */
function isUntouched(socket) {
  return Object.getPrototypeOf(socket) === AcceptedSocket.prototype;
}

touchBy(AcceptedSocket.prototype);
Object.defineProperty(AcceptedSocket.prototype, 'constructor', { value: net.Socket });

module.exports = { AcceptedSocket, isHeld, isUntouched, settle, watch };
