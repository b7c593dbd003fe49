'use strict';

/*
 * How an accepted socket becomes a net.Socket, in place, at the first touch of what it has not got: with a descriptor of
 * Node's, in the state that it would have come to, parked if a WebSocket has it. accepted-socket.js calls it.
 */

const net = require('net');

const events = require('../connection-events');
const { kTransport, kWebSocket } = require('../constants');
const { guard } = require('./handle-guard');
const { ParkedSocket } = require('./parked-socket');

/** Facts about an accepted socket that a WebSocket has, as bits. */
const Fact = {
  ENDING: 1,
  FINISHED: 2,
  /** The end of the peer has been read, which is told a tick later. */
  PEER_ENDED: 4,
  INPUT_OVER: 8,
  DESTROYED: 16,
  CLOSED: 32
};

const { CLOSED, DESTROYED, ENDING, FINISHED, INPUT_OVER, PEER_ENDED } = Fact;

/**
 * Makes a net.Socket of it, in place.
 *
 * @param {any} socket
 * @returns {any} the same
 */
function touched(socket) {
  const { _held: held, _listenHandle: handle, [kTransport]: transport } = socket;
  const facts = socket._facts;
  const { _failure: failure, _peername: peername } = socket;
  for (const name of ['_held', '_listenHandle', '_facts', '_failure'])
    Reflect.deleteProperty(socket, name);
  Object.setPrototypeOf(socket, net.Socket.prototype);

  // One descriptor for both: Node gets that of the connection, which goes on using it.
  const fd = held ? handle.listener.release(held.number) : transport.connection.descriptor();
  /** @type {any} it is a function, and was made to be called so */
  const Socket = net.Socket;
  const descriptor = fd === -1 ? {} : { fd };
  Socket.call(socket, { ...descriptor, allowHalfOpen: true, manualStart: !held });
  if (!held && fd !== -1) {
    transport.connection.lend();
    guard(socket._handle, transport);
  }
  socket.server = handle.server;
  socket._server = handle.server;
  socket.parser = null;
  if (peername) socket._peername = peername;
  socket.setNoDelay(true);
  if (held) {
    Reflect.deleteProperty(socket, kTransport);
    if (held.errorListener !== null) socket.on('error', held.errorListener);
    if (socket[kWebSocket]) events.watchSocket(socket[kWebSocket], socket);
    if (held.response !== '') socket.write(held.response);
    return socket;
  }

  socket.setTimeout(0);
  events.watchSocket(socket[kWebSocket], socket, (facts & CLOSED) !== 0);
  // It has flown from the beginning.
  socket.readableFlowing = true;
  if ((facts & DESTROYED) !== 0) markDestroyed(socket, facts, failure);
  Object.setPrototypeOf(socket, ParkedSocket.prototype);
  if ((facts & DESTROYED) === 0) goOn(socket, facts);
  return socket;
}

/**
 * Node would have come this far with a socket that is being destroyed.
 *
 * @param {any} socket
 * @param {number} facts
 * @param {Error | undefined} failure
 */
function markDestroyed(socket, facts, failure) {
  socket._handle?.close();
  socket._handle = null;
  socket._hadError = failure !== undefined;
  for (const state of [socket._readableState, socket._writableState]) {
    state.destroyed = true;
    state.errored = failure ?? null;
    state.closed = true;
    state.closeEmitted = (facts & CLOSED) !== 0;
  }
  if ((facts & INPUT_OVER) !== 0) socket._readableState.endEmitted = true;
  if ((facts & ENDING) !== 0) {
    socket._writableState.ending = true;
    socket._writableState.ended = true;
  }
  if ((facts & FINISHED) !== 0) socket._writableState.finished = true;
}

/**
 * Goes on where it was.
 *
 * @param {any} socket parked
 * @param {number} facts
 */
function goOn(socket, facts) {
  if ((facts & INPUT_OVER) !== 0) {
    socket._readableState.ended = true;
    socket._readableState.endEmitted = true;
  } else if ((facts & PEER_ENDED) !== 0) {
    socket._nativeEnd();
  }
  if ((facts & ENDING) !== 0) socket.end();
}

/**
 * Gives a prototype whatever else a net.Socket has or does: who asks for it touches. The properties of instances are
 * looked up on one, because they differ from one Node to the next.
 *
 * @param {object} prototype
 */
function touchBy(prototype) {
  Object.setPrototypeOf(prototype, net.Socket.prototype);
  /** @type {any} */
  let source = new net.Socket();
  // Up to the end of the chain, not by comparing with Object.prototype: this file may run in another realm than Node.
  while (Object.getPrototypeOf(source) !== null) {
    for (const name of Reflect.ownKeys(source)) {
      if (!Object.hasOwn(prototype, name)) {
        Object.defineProperty(prototype, name, touching(source, name));
      }
    }
    source = Object.getPrototypeOf(source);
  }
}

/**
 * @param {object} source
 * @param {string | symbol} name of a property of it
 * @returns {PropertyDescriptor} that of a property which makes a real socket first
 */
function touching(source, name) {
  const method = Object.getOwnPropertyDescriptor(source, name)?.value;
  if (typeof method === 'function') {
    const value = /** @this {any} @param {any[]} args */ function (...args) {
      return touched(this)[name](...args);
    };
    return { configurable: true, value, writable: true };
  }
  return {
    configurable: true,
    get() {
      return touched(this)[name];
    },
    set(value) {
      touched(this)[name] = value;
    }
  };
}

module.exports = { Fact, touchBy, touched };
