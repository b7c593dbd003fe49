'use strict';

/*
 * Detaches a net.Socket: checks that nothing prevents it, stops Node's reading, and passes the descriptor to the addon. Called
 * when a transport opens.
 */

const net = require('net');

const native = require('../native');
const { guard } = require('./handle-guard');
const { markDetached, reattach } = require('./detached-socket');
const { hasOwnMethods, isNodeUnpatched } = require('./replaced-members');

/** @typedef {import('../transport/base-transport').Socket} Socket */

/**
 * True if sockets are those of Node. Bun and Deno have descriptors for some sockets, and functions of libuv, but some of these
 * functions end the process.
 */
const hasNodeSockets = !('bun' in process.versions || 'deno' in process.versions);

/**
 * Checks that the descriptor can be taken from a socket without a program noticing.
 *
 * @param {any} socket any Duplex
 * @returns {string | null} the reason why it cannot, for debug output; null if it can
 */
function obstacleToDetaching(socket) {
  if (!hasNodeSockets) return 'the runtime is not Node';
  if (Object.getPrototypeOf(socket) !== net.Socket.prototype || socket.encrypted) {
    return 'the socket is not a plain net.Socket';
  }
  if (!(socket._handle?.fd >= 0) || typeof socket._handle.readStop !== 'function') {
    return 'the socket has no descriptor';
  }
  if (socket.destroyed || !socket.writable || socket._readableState.ended) {
    return 'the socket has ended';
  }
  if (socket.writableLength !== 0) return 'the socket has unwritten output';
  if (socket._readableState.encoding !== null) return 'the socket has an encoding';
  if (socket.listenerCount('data') !== 0 || socket.listenerCount('readable') !== 0) {
    return 'the socket has listeners for its bytes';
  }
  if (hasOwnMethods(socket) || !isNodeUnpatched()) return 'a member of the socket is replaced';
  return null;
}

/**
 * Stops Node's reading and makes a net.Socket a detached one.
 *
 * @param {Socket} socket without an obstacleToDetaching()
 * @param {any} transport
 * @param {Buffer} head bytes that have already been read from the socket
 * @param {(fd: number, received: Buffer | undefined) => boolean} attach passes the descriptor and received bytes to the addon
 * @returns {boolean} the result of `attach`; if false, the socket is as before
 */
function detach(socket, transport, head, attach) {
  const handle = socket._handle;
  const wasPaused = socket.readableFlowing === false;
  handle.readStop();
  handle.reading = false;

  /** @type {Buffer[]} */
  const chunks = head.length > 0 ? [head] : [];
  while (socket.readableLength > 0) chunks.push(socket.read());
  markDetached(socket, transport);
  const received = chunks.length > 1 ? Buffer.concat(chunks) : chunks[0];

  if (!attach(handle.fd, received)) {
    reattach(socket);
    handle.reading = true;
    handle.readStart();
    for (const chunk of chunks.slice(head.length > 0 ? 1 : 0).reverse()) socket.unshift(chunk);
    return false;
  }

  guard(handle, transport);
  transport.isTimed = Number(socket.timeout) > 0;
  // The connection counts `received` itself.
  transport.bytesReadBefore = handle.bytesRead - (received?.length ?? 0);
  if (handle.hasRef()) transport.setReferenced(true);
  if (socket.listenerCount('drain') > 0)
    transport.connection.watchDrain(socket.writableHighWaterMark);
  // A flowing socket reports the end of the stream; a socket that a program has paused stays paused.
  if (wasPaused) native.pause(transport.id);
  else net.Socket.prototype.resume.call(socket);
  return true;
}

module.exports = { detach, hasNodeSockets, obstacleToDetaching };
