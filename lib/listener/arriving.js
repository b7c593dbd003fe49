'use strict';

/*
 * What becomes of a connection that came by the listener, once it is known what it wants. A plain request to upgrade is
 * emitted as Node would; everything else is given to Node with the bytes that were read. Called by the addon.
 */

const net = require('net');

const { AcceptedSocket, isHeld, settle, watch } = require('../transport/accepted-socket');
const { AsyncContext } = require('../async-context');
const { createRequest, readHead } = require('./request');
const { createError } = require('../errors');
const { EMPTY_BUFFER } = require('../constants');
const { reasonForNode } = require('./rule');
const { clearTimeout, setTimeout } = require('../schedule');

/** Why the addon puts a connection aside; the numbers are its own. */
const LATE = 3;
const CLOSED = 4;

/** Who verifies a client for longer, in milliseconds, has him watched by Node. */
const PATIENCE = 1000;

/** @typedef {InstanceType<typeof import('./listen-handle').ListenHandle>} ListenHandle */

/**
 * Whether Node is to have whoever comes now, before anything is read.
 *
 * @param {ListenHandle} handle
 */
function takesAll({ server }) {
  return reasonForNode(server) !== null;
}

/**
 * @param {ListenHandle} handle where it came
 * @param {number} number of the connection
 * @param {string | undefined} head a plain request to upgrade, a character a byte; undefined: something else
 * @param {number} detail number of the header fields of `head`; without it, why
 * @param {Buffer | undefined} rest what was read and is not in `head`
 */
function arrived(handle, number, head, detail, rest) {
  if (head === undefined) {
    putAside(handle, number, rest, detail);
  } else if (reasonForNode(handle.server) !== null) {
    const bytes = Buffer.from(head, 'latin1');
    putAside(handle, number, rest === undefined ? bytes : Buffer.concat([bytes, rest]), 0);
  } else {
    // Each has a context of its own, as with Node's parser.
    const resource = new AsyncContext('HTTPINCOMINGMESSAGE');
    const fields = readHead(head, detail);
    resource.runInAsyncScope(upgrade, undefined, handle, number, head, fields, rest);
  }
}

/**
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {string} head
 * @param {string[]} fields
 * @param {Buffer | undefined} rest
 */
function upgrade(handle, number, head, fields, rest) {
  const { server } = handle;
  const bytes = head.length + (rest === undefined ? 0 : rest.length);
  const socket = new AcceptedSocket(handle, number, bytes);
  server._connections++;
  let hasReturned = false;
  try {
    server.emit('upgrade', createRequest(socket, head, fields), socket, rest ?? EMPTY_BUFFER);
    hasReturned = true;
  } finally {
    settle(socket, hasReturned);
  }
  if (isHeld(socket)) putOff(handle, socket);
}

/**
 * Somebody thinks about a client. If he takes long, the client may go meanwhile, and only Node would notice.
 *
 * @param {ListenHandle} handle
 * @param {object} socket
 */
function putOff(handle, socket) {
  handle.waiting.add(socket);
  handle.patience ??= setTimeout(watchWaiting, PATIENCE, handle).unref();
}

/** @param {ListenHandle} handle */
function watchWaiting(handle) {
  clearTimeout(handle.patience);
  handle.patience = undefined;
  for (const socket of handle.waiting) watch(socket);
  handle.waiting.clear();
}

/**
 * Has Node accept the connection, as if it were from a listening socket of its own.
 *
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {Buffer | undefined} bytes that were read
 * @param {number} why
 */
function putAside(handle, number, bytes, why) {
  const { listener, server } = handle;
  // Until here it was counted, see ListenHandle.close().
  if (why === CLOSED) server._connections--;
  const fd = listener.release(number);
  if (fd === -1) {
    server._emitCloseIfDrained();
    return;
  }

  /** @type {any} only Node makes handles */
  const donor = new net.Socket(/** @type {object} */ ({ fd, manualStart: true }));
  const accepted = donor._handle;
  /** @type {net.Socket | undefined} */
  let socket;
  const take = (/** @type {net.Socket} */ taken) => {
    socket = taken;
  };
  server.prependOnceListener('connection', take);
  handle.onconnection?.(0, accepted);
  // One that is over the limit was dropped.
  server.removeListener('connection', take);
  if (socket === undefined) return;
  if (bytes !== undefined) {
    countIn(accepted, bytes.length);
    socket.push(bytes);
  }
  // What Node does about it hangs on the socket's listener.
  if (why === LATE) socket.emit('error', createError('REQUEST_TIMEOUT'));
}

/**
 * Has a handle of Node's count what it has not read itself.
 *
 * @param {any} handle
 * @param {number} length bytes
 */
function countIn(handle, length) {
  const prototype = Object.getPrototypeOf(handle);
  const get = () => length + Reflect.get(prototype, 'bytesRead', handle);
  Object.defineProperty(handle, 'bytesRead', { configurable: true, get });
}

module.exports = { arrived, putAside, takesAll, watchWaiting };
