'use strict';

/*
 * Connections of a listening socket of the addon, which calls these functions, in no async context. A plain request to upgrade
 * becomes an 'upgrade' event, as Node would emit it. Other requests are answered by node-responses.js, or the connection is handed
 * to Node with the bytes that were read.
 */

const { AsyncLocalStorage, executionAsyncResource } = require('async_hooks');
const fs = require('fs');

const { LazySocket, isUpgradePending, materializePending } = require('../socket/lazy-socket');
const { setCounter } = require('../socket/handle-guard');
const { AsyncContext } = require('../node/async-context');
const { createRequest, readFields } = require('./incoming-message');
const { createError } = require('../errors');
const { EMPTY_BUFFER } = require('../constants');
const { fallbackReason } = require('./fallback');
const { Reason, answer } = require('./node-responses');
const { clearTimeout, setTimeout } = require('../node/schedule');

/** Offset of the request target, behind `GET `. */
const TARGET = 4;

/** Node's constant for handles of connections, of both TCP and Pipe. */
const SOCKET = 0;

/** Milliseconds `verifyClient` may take before Node watches the socket for disconnects. */
const WATCH_DELAY = 1000;

/** @typedef {InstanceType<typeof import('./listen-handle').ListenHandle>} ListenHandle */

/**
 * Decides about new connections before anything is read.
 *
 * @param {ListenHandle} handle
 * @returns {boolean} true: all of them are handed to Node
 */
function shouldFallBack(handle) {
  // A server that is moved to another thread loses its handle without a call of close().
  if (handle.server._handle !== handle.handle && handle.handle.fd < 0) handle.close();
  return fallbackReason(handle.server, handle.snapshot) !== null;
}

/**
 * Handles an accepted connection.
 *
 * @param {ListenHandle} handle
 * @param {number} number of the connection
 * @param {string | undefined} head a plain request to upgrade in latin1; undefined: anything else
 * @param {number} detail number of the header fields of `head`; without `head`, the reason
 * @param {Buffer | undefined} data bytes that were read and are not part of `head`
 */
function onConnection(handle, number, head, detail, data) {
  noContext ??= new AsyncContext('WEBSOCKETSERVER');
  if (head === undefined) {
    answerOrFallBack(handle, number, data, detail);
  } else if (fallbackReason(handle.server, handle.snapshot) !== null) {
    const bytes = Buffer.from(head, 'latin1');
    const all = data === undefined ? bytes : Buffer.concat([bytes, data]);
    fallBack(handle, number, all, Reason.OTHER);
  } else {
    const fields = readFields(head, detail);
    const url = head.slice(TARGET, head.indexOf(' ', TARGET));
    const bytesRead = head.length + (data === undefined ? 0 : data.length);
    upgrade(handle, number, { major: 1, minor: 1, url, fields }, data, bytesRead);
  }
}

/**
 * Handles a connection whose request is no plain request to upgrade.
 *
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {Buffer | undefined} data bytes that were read
 * @param {number} reason
 */
function answerOrFallBack(handle, number, data, reason) {
  const outcome = answer(handle, number, data, reason);
  if (outcome.kind === 'upgrade') {
    const bytes = /** @type {Buffer} */ (data);
    const rest = outcome.length < bytes.length ? bytes.subarray(outcome.length) : undefined;
    upgrade(handle, number, outcome.request, rest, bytes.length);
  } else if (outcome.kind === 'unsent') {
    sendRest(handle, number, outcome, reason);
  } else if (outcome.kind === 'node') {
    fallBack(handle, number, data, reason);
  }
}

/**
 * Lets Node send the rest of a response.
 *
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {{ rest: Buffer, keep: boolean }} unsent
 * @param {number} reason
 */
function sendRest(handle, number, { rest, keep }, reason) {
  const socket = fallBack(handle, number, undefined, reason);
  if (keep) socket?.write(rest);
  else socket?.end(rest);
}

/**
 * Emits 'upgrade' in the async context of a request.
 *
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {import('./incoming-message').UpgradeRequest} request
 * @param {Buffer | undefined} data bytes behind the request
 * @param {number} bytesRead
 */
function upgrade(handle, number, request, data, bytesRead) {
  const context = usesContextFrames()
    ? handle.scope.runInAsyncScope(createContext)
    : createContext();
  context.runInAsyncScope(emitUpgrade, undefined, handle, number, request, data, bytesRead);
}

/** Created in no async context, to enter it from another one. @type {InstanceType<typeof AsyncContext> | undefined} */
let noContext;

/**
 * Creates the async context of a request, as Node's parser has one. The parser runs on one resource and reports another to
 * async_hooks, so an AsyncLocalStorage with stores on resources finds none, and one with context frames finds the store of the
 * code that listens.
 */
function createContext() {
  return new AsyncContext('HTTPINCOMINGMESSAGE', { triggerAsyncId: 0 });
}

/** @type {boolean | undefined} */
let hasContextFrames;

/** @returns {boolean} true if AsyncLocalStorage keeps stores in context frames (default since Node 24), not on resources */
function usesContextFrames() {
  if (hasContextFrames === undefined) {
    const storage = new AsyncLocalStorage();
    const store = {};
    hasContextFrames = storage.run(store, () => {
      /** @type {any} */
      const resource = executionAsyncResource();
      return !Object.getOwnPropertySymbols(resource).some((key) => resource[key] === store);
    });
    storage.disable();
  }
  return hasContextFrames;
}

/**
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {import('./incoming-message').UpgradeRequest} request
 * @param {Buffer | undefined} data
 * @param {number} bytesRead
 */
function emitUpgrade(handle, number, request, data, bytesRead) {
  const { server, snapshot } = handle;
  const socket = new LazySocket(handle, number, bytesRead);
  server._connections++;
  let hasReturned = false;
  try {
    const req = createRequest(snapshot, socket, request);
    server.emit('upgrade', req, socket, data ?? EMPTY_BUFFER);
    hasReturned = true;
  } finally {
    if (isUpgradePending(socket)) LazySocket.endUpgradeEvent(socket, hasReturned);
  }
  if (isUpgradePending(socket)) watchLater(handle, socket);
}

/**
 * Lets Node watch a socket whose `verifyClient` takes long: the addon does not read it, and would miss a disconnect.
 *
 * @param {ListenHandle} handle
 * @param {object} socket
 */
function watchLater(handle, socket) {
  handle.unwatched.add(socket);
  handle.watchTimer ??= setTimeout(watchSockets, WATCH_DELAY, handle).unref();
}

/** Lets Node watch the sockets of pending handshakes. @param {ListenHandle} handle */
function watchSockets(handle) {
  clearTimeout(handle.watchTimer);
  handle.watchTimer = undefined;
  for (const socket of handle.unwatched) materializePending(socket);
  handle.unwatched.clear();
}

/**
 * Hands a connection to Node, as if libuv had accepted it: the handle is created in no async context, and 'connection' is
 * emitted in that of the code that listens.
 *
 * @param {ListenHandle} listening
 * @param {number} number
 * @param {Buffer | undefined} bytes that were read
 * @param {number} reason
 * @returns {import('net').Socket | undefined} undefined: it is closed
 */
function fallBack(listening, number, bytes, reason) {
  const { listener, scope, server } = listening;
  // Added by ListenHandle.close().
  if (reason === Reason.CLOSED) server._connections--;
  const fd = listener.release(number);
  if (fd === -1) {
    server._emitCloseIfDrained();
    return undefined;
  }

  const create = () => new listening.handle.constructor(SOCKET);
  const accepted = noContext === undefined ? create() : noContext.runInAsyncScope(create);
  const error = accepted.open(fd);
  if (error !== 0) fs.closeSync(fd);
  const before = reason === Reason.KEPT ? listening.takeKept(number) : undefined;
  return scope.runInAsyncScope(
    emitConnection,
    undefined,
    listening,
    accepted,
    error,
    bytes,
    reason,
    before
  );
}

/**
 * Passes an accepted handle to the server, and the bytes that were read to its socket.
 *
 * @param {ListenHandle} handle
 * @param {any} accepted handle of Node
 * @param {number} error of libuv; 0: none
 * @param {Buffer | undefined} bytes
 * @param {number} reason
 * @param {import('./listen-handle').Kept | undefined} before of a connection that the addon has answered
 * @returns {import('net').Socket | undefined}
 */
function emitConnection({ handle, owner, server }, accepted, error, bytes, reason, before) {
  if (error !== 0) {
    handle.onconnection(error);
    return undefined;
  }
  // Inherited from the listening socket of the addon.
  if (!server.noDelay) accepted.setNoDelay?.(false);
  handle.onconnection(0, accepted);
  /** @type {import('net').Socket | undefined} undefined: Node has dropped the connection */
  const socket = accepted[/** @type {symbol} */ (owner)];
  if (socket === undefined) return undefined;
  if (before !== undefined) {
    setCounter(accepted, 'bytesWritten', before.written);
    // Node has set it behind the response, too, and resets it when the head of a request is complete.
    if (!bytes?.includes('\r\n\r\n')) socket.setTimeout(before.silence);
  }
  if (bytes !== undefined) {
    setCounter(accepted, 'bytesRead', bytes.length + (before?.read ?? 0));
    socket.push(bytes);
  }
  // Node's 'error' listener answers 408.
  if (reason === Reason.LATE) socket.emit('error', createError('REQUEST_TIMEOUT'));
  return socket;
}

module.exports = { fallBack, onConnection, shouldFallBack, watchSockets };
