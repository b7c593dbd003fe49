'use strict';

/*
 * Reads sockets of Node past their streams: the handle reads into one buffer of this thread, which the addon parses, without a
 * Buffer and an emitted 'data' per read. In every state in which a program could see the difference, the bytes take Node's way
 * instead, as a copy. CONDITIONS is the table of these states. Called by stream-transport.js; writing stays with the stream.
 *
 * Node's own support for such a buffer (the option `onread` of net.Socket) is not used as it is: it changes pause(), resume() and
 * read(), and shows on the socket. Only its way to tell the length of a read is.
 */

const net = require('net');
const { Readable } = require('stream');

const native = require('../native');
const { createSystemError } = require('../errors');
const { EMPTY_BUFFER } = require('../constants');
const { defineHidden } = require('../node/define');
const { hasNodeSockets } = require('../socket/detach');

/** @typedef {import('./base-transport').Socket} Socket */

/** @type {any} the original members, which include some that the types lack */
const node = net.Socket.prototype;
const { _read, emit, push, read } = node;
const readBuffered = Readable.prototype.read;

/**
 * False if one of them had been replaced before this module was loaded, as tracers do, and the module `domain`. The words are
 * in the source of Node's functions.
 */
const areMembersOriginal = [
  [emit, 'kErrorMonitor'],
  [push, 'readableAddChunk'],
  [read, 'kBuffer'],
  [readBuffered, 'howMuchToRead'],
  [_read, 'tryReadStart']
].every(([member, word]) => String(member).includes(word));

/** The DirectReader of a handle. */
const kReader = Symbol('ferrows.reader');

/**
 * The conditions of a direct read. `push()` and `emit()` of a Readable would then do nothing but call the listener of the
 * transport, and a program that counts on them has not been given the socket's bytes. Checked per read, because a program can
 * change each of them at any time; __test__/transport/direct-reads.test.js changes each, with ws as the judge.
 *
 * @type {Record<string, (socket: any, state: any, listener: Function) => boolean>}
 */
const CONDITIONS = {
  /** The transport is the only listener of the bytes. Covers pipe(), async iterators and once(). */
  hasOnlyListener: (socket, state, listener) => socket._events?.data === listener,
  /** False after pause(), with a listener of 'readable', and while the transport throttles. */
  isFlowing: (socket, state) => state.flowing === true,
  /** Earlier bytes come first: those kept during a pause, and those of unshift() and push(). */
  isEmpty: (socket, state) => state.length === 0,
  /** False after setEncoding(): a decoder may hold the start of a character. */
  hasNoDecoder: (socket, state) => state.decoder === null,
  /** False until the first chunk, which sets `readableDidRead`. */
  hasEmittedData: (socket, state) => state.dataEmitted === true,
  /** False within read(), whose caller takes the bytes. */
  isAsynchronous: (socket, state) => state.sync === false,
  /** False after push(null), destroy() and an error. */
  isReadable: (socket, state) => !state.ended && !state.destroyed && state.errored === null,
  isPushOriginal: (socket) => socket.push === push,
  isEmitOriginal: (socket) => socket.emit === emit,
  isReadOriginal: (socket) =>
    socket.read === read && socket._read === _read && Readable.prototype.read === readBuffered
};

const {
  hasOnlyListener,
  isFlowing,
  isEmpty,
  hasNoDecoder,
  hasEmittedData,
  isAsynchronous,
  isReadable,
  isPushOriginal,
  isReadOriginal
} = CONDITIONS;

/**
 * True if all CONDITIONS hold. Called per read: direct calls, which V8 inlines.
 *
 * @param {any} socket
 * @param {Function} listener
 * @returns {boolean}
 */
function canReadDirectly(socket, listener) {
  const state = socket._readableState;
  return (
    hasOnlyListener(socket, state, listener) &&
    isFlowing(socket, state, listener) &&
    isEmpty(socket, state, listener) &&
    hasNoDecoder(socket, state, listener) &&
    hasEmittedData(socket, state, listener) &&
    isAsynchronous(socket, state, listener) &&
    isReadable(socket, state, listener) &&
    isPushOriginal(socket, state, listener) &&
    CONDITIONS.isEmitOriginal(socket, state, listener) &&
    isReadOriginal(socket, state, listener)
  );
}

/**
 * Members of Node that a direct read needs; undefined until first use, null where they are missing.
 *
 * @type {Internals | null | undefined}
 */
let internals;

/**
 * False if the lengths of reads have not been compared yet, or were wrong: in a version of Node that is not known, the same
 * names may mean something else.
 */
let isProven = false;
let isRefuted = false;

/** The receive buffer of this thread, which handles keep the address of. */
let buffer = new Uint8Array(0);

/**
 * Node's internal members, found by name.
 *
 * @typedef {Object} Internals
 * @property {Function} onStreamRead the function that handles of Node call per read
 * @property {symbol} kBuffer the key of the buffer of a socket with the option `onread`
 * @property {() => number} takeCount number of bytes of the current read; 0 at the end of the stream and after an error
 */

/**
 * Finds the symbols under which Node keeps the parts of the option `onread`.
 *
 * @param {any} socket
 * @param {any} handle
 * @returns {Internals | null}
 */
function findInternals(socket, handle) {
  const owner = symbolOf(handle, 'owner_symbol');
  const kUpdateTimer = symbolOf(node, 'kUpdateTimer');
  const kBuffer = symbolOf(socket, 'kBuffer');
  const kBufferCb = symbolOf(socket, 'kBufferCb');
  const kBufferGen = symbolOf(socket, 'kBufferGen');
  const onStreamRead = handle.onread;
  if (!owner || !kUpdateTimer || !kBuffer || !kBufferCb || !kBufferGen) return null;

  buffer = new Uint8Array(native.environment.receiveBuffer());
  let count = 0;
  // Stands for a socket with that option, because only Node can read the length of a read.
  const stand = {
    [kUpdateTimer]() {},
    [kBuffer]: buffer,
    [kBufferCb](/** @type {number} */ length) {
      count = length;
    },
    [kBufferGen]: null,
    _readableState: { endEmitted: true },
    destroyed: false,
    destroy() {}
  };
  const probe = { [owner]: stand };
  const takeCount = () => {
    count = 0;
    onStreamRead.call(probe);
    return count;
  };
  return { onStreamRead, kBuffer, takeCount };
}

/**
 * @param {object} object
 * @param {string} description
 * @returns {symbol | undefined} the own symbol with that description
 */
function symbolOf(object, description) {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}

/**
 * The reads of one handle.
 *
 * @typedef {Object} DirectReader
 * @property {any} transport a StreamTransport
 * @property {Function} listener its listener of 'data'
 * @property {Function} onread the `onread` of the handle, as Node or a program has set it
 * @property {boolean} isAssigned true if it has been assigned since
 * @property {number} bytesRead counter of the handle before its first read
 */

/**
 * Hides that the `onread` of the handle is onRead(). A program that assigns one, also by `new net.Socket({ handle })`, gets all
 * later reads.
 *
 * @type {PropertyDescriptor & ThisType<any>}
 */
const ONREAD = {
  configurable: true,
  get() {
    return this[kReader].onread;
  },
  set(value) {
    const reader = this[kReader];
    reader.onread = value;
    reader.isAssigned = true;
  }
};

/**
 * Reads a socket past its stream from now on, whenever CONDITIONS hold.
 *
 * @param {any} transport a StreamTransport, whose receivePlaced() is called per read
 * @param {Function} listener its listener of 'data'
 * @returns {boolean} false if the socket is none of Node's that can be read so
 */
function readDirectly(transport, listener) {
  const { socket } = transport;
  const handle = socket._handle;
  if (!hasNodeSockets || !areMembersOriginal) return false;
  if (!handle?.isStreamBase || typeof handle.useUserBuffer !== 'function') return false;
  if (isRefuted || handle[kReader] || socket.emit !== emit) return false;
  if (handle.onread?.name !== 'onStreamRead') return false;
  if (internals === undefined) internals = findInternals(socket, handle);
  if (internals === null) return false;
  if (socket[internals.kBuffer] !== null || handle.onread !== internals.onStreamRead) return false;

  handle.onread = onRead;
  /** @type {DirectReader} */
  const reader = {
    transport,
    listener,
    onread: internals.onStreamRead,
    isAssigned: false,
    bytesRead: handle.bytesRead
  };
  defineHidden(handle, kReader, reader);
  Object.defineProperty(handle, 'onread', ONREAD);
  handle.useUserBuffer(buffer);
  return true;
}

/**
 * Called by the handle per read, in its async context, with the bytes in the receive buffer.
 *
 * @this {any} the handle
 */
function onRead() {
  const reader = this[kReader];
  const { listener, transport } = reader;
  const { socket } = transport;
  let count = /** @type {Internals} */ (internals).takeCount();
  if (!isProven) count = prove(this, reader, count);
  // A limited rate splits chunks, whose rests go back to the stream.
  const isLimited = transport.rateLimit !== null;
  if (count === 0 || reader.isAssigned || isLimited || !canReadDirectly(socket, listener)) {
    return reader.onread.call(this, count === 0 ? undefined : buffer.buffer.slice(0, count));
  }
  socket._unrefTimer();
  transport.receivePlaced(count);
  if (canReadDirectly(socket, listener)) return;
  // A listener has changed the socket. An empty chunk makes the stream do the part of push() behind 'data'.
  if (!push.call(socket, EMPTY_BUFFER)) stopReading(this, socket);
}

/**
 * Compares the length of a read with the counter of the handle.
 *
 * @param {any} handle
 * @param {DirectReader} reader
 * @param {number} count
 * @returns {number} the length; that of the whole buffer if it was wrong, of which Node takes its part
 */
function prove(handle, reader, count) {
  const received = handle.bytesRead - reader.bytesRead;
  if (received === 0) return count;
  isProven = count === received;
  if (isProven) return count;
  isRefuted = true;
  reader.isAssigned = true;
  return buffer.length;
}

/**
 * Stops reading after a read during which the stream has been filled or ended, as Node does.
 *
 * @param {any} handle
 * @param {Socket} socket
 */
function stopReading(handle, socket) {
  handle.reading = false;
  if (socket.destroyed) return;
  const errno = handle.readStop();
  if (errno) socket.destroy(createSystemError('read', -errno));
}

module.exports = { CONDITIONS, canReadDirectly, readDirectly };
