'use strict';

/*
 * Delivery of connections that have said what they want. A plain request to upgrade is emitted as Node would emit it; everything else
 * is given to Node with the bytes that were read. Called by the addon, in no async context.
 */

const { AsyncLocalStorage, executionAsyncResource } = require('async_hooks');
const fs = require('fs');

const { LazySocket, isUpgradePending, materializePending } = require('../socket/lazy-socket');
const { setCounter } = require('../socket/handle-guard');
const { AsyncContext } = require('../node/async-context');
const { createRequest, readHead } = require('./incoming-message');
const { createError } = require('../errors');
const { EMPTY_BUFFER } = require('../constants');
const { reasonForNode } = require('./fallback');
const { clearTimeout, setTimeout } = require('../node/schedule');

/** Reasons for which the addon puts a connection aside; the numbers are its own. */
const LATE = 3;
const CLOSED = 4;

/** Type of handles for accepted connections, both of TCP and of pipes, in Node. */
const SOCKET = 0;

/** Milliseconds that `verifyClient` may take before Node watches the socket for its end. */
const PATIENCE = 1000;

/** @typedef {InstanceType<typeof import('./listen-handle').ListenHandle>} ListenHandle */

/**
 * Says whether Node is to have every connection that comes now, before anything is read.
 *
 * @param {ListenHandle} handle
 * @returns {boolean}
 */
function takesAll(handle) {
  // A server that is moved to another thread loses its handle without a call of close().
  if (handle.server._handle !== handle.handle && handle.handle.fd < 0) handle.end();
  return reasonForNode(handle.server, handle.origin) !== null;
}

/**
 * @param {ListenHandle} handle where it came
 * @param {number} number of the connection
 * @param {string | undefined} head a plain request to upgrade, a character a byte; undefined: something else
 * @param {number} detail number of the header fields of `head`; without it, why
 * @param {Buffer | undefined} rest what was read and is not in `head`
 */
function arrived(handle, number, head, detail, rest) {
  outside ??= new AsyncContext('WEBSOCKETSERVER');
  if (head === undefined) {
    putAside(handle, number, rest, detail);
  } else if (reasonForNode(handle.server, handle.origin) !== null) {
    const bytes = Buffer.from(head, 'latin1');
    putAside(handle, number, rest === undefined ? bytes : Buffer.concat([bytes, rest]), 0);
  } else {
    const fields = readHead(head, detail);
    const resource = inFrames() ? handle.scope.runInAsyncScope(createResource) : createResource();
    resource.runInAsyncScope(upgrade, undefined, handle, number, head, fields, rest);
  }
}

/** No async context, where that is not the current one. @type {InstanceType<typeof AsyncContext> | undefined} */
let outside;

/**
 * Creates the async context of a request, as Node's parser has one. Node's parser runs on the object of the parser and tells
 * async_hooks of another one, so an AsyncLocalStorage that keeps its stores on resources finds none; one that keeps them in frames finds
 * that of the code that listens.
 */
function createResource() {
  return new AsyncContext('HTTPINCOMINGMESSAGE', { triggerAsyncId: 0 });
}

/** @type {boolean | undefined} */
let hasFrames;

/** @returns {boolean} whether each AsyncLocalStorage keeps its stores in frames, as since Node 24, and not on resources */
function inFrames() {
  if (hasFrames === undefined) {
    const storage = new AsyncLocalStorage();
    const store = {};
    hasFrames = storage.run(store, () => {
      /** @type {any} */
      const resource = executionAsyncResource();
      return !Object.getOwnPropertySymbols(resource).some((key) => resource[key] === store);
    });
    storage.disable();
  }
  return hasFrames;
}

/**
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {string} head
 * @param {string[]} fields
 * @param {Buffer | undefined} rest
 */
function upgrade(handle, number, head, fields, rest) {
  const { origin, server } = handle;
  const bytes = head.length + (rest === undefined ? 0 : rest.length);
  const socket = new LazySocket(handle, number, bytes);
  server._connections++;
  let hasReturned = false;
  try {
    const req = createRequest(origin, socket, head, fields);
    server.emit('upgrade', req, socket, rest ?? EMPTY_BUFFER);
    hasReturned = true;
  } finally {
    if (isUpgradePending(socket)) LazySocket.endUpgradeEvent(socket, hasReturned);
  }
  if (isUpgradePending(socket)) putOff(handle, socket);
}

/**
 * Has a client watched that is being verified for long: it may go meanwhile, and only Node would notice.
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
  for (const socket of handle.waiting) materializePending(socket);
  handle.waiting.clear();
}

/**
 * Has Node accept the connection, as if libuv had: the handle is created in no async context, and 'connection' is emitted in that of
 * the code that listens.
 *
 * @param {ListenHandle} listening
 * @param {number} number
 * @param {Buffer | undefined} bytes that were read
 * @param {number} why
 */
function putAside(listening, number, bytes, why) {
  const { listener, scope, server } = listening;
  // Until here it was counted, see ListenHandle.end().
  if (why === CLOSED) server._connections--;
  const fd = listener.release(number);
  if (fd === -1) {
    server._emitCloseIfDrained();
    return;
  }

  const create = () => new listening.handle.constructor(SOCKET);
  const accepted = outside === undefined ? create() : outside.runInAsyncScope(create);
  const error = accepted.open(fd);
  if (error !== 0) fs.closeSync(fd);
  scope.runInAsyncScope(accept, undefined, listening, accepted, error, bytes, why);
}

/**
 * @param {ListenHandle} listening
 * @param {any} accepted handle of Node's
 * @param {number} error of libuv; 0: none
 * @param {Buffer | undefined} bytes
 * @param {number} why
 */
function accept({ handle, owner, server }, accepted, error, bytes, why) {
  if (error !== 0) {
    handle.onconnection(error);
    return;
  }
  // It has inherited this.
  if (!server.noDelay) accepted.setNoDelay?.(false);
  handle.onconnection(0, accepted);
  /** @type {import('net').Socket | undefined} nothing: Node has dropped it */
  const socket = accepted[/** @type {symbol} */ (owner)];
  if (socket === undefined) return;
  if (bytes !== undefined) {
    setCounter(accepted, 'bytesRead', bytes.length);
    socket.push(bytes);
  }
  // Node's own listener of the socket does the rest.
  if (why === LATE) socket.emit('error', createError('REQUEST_TIMEOUT'));
}

module.exports = { arrived, putAside, takesAll, watchWaiting };
