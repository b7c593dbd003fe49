'use strict';

/*
 * What WebSocket.send(), ping() and pong() do: from whatever users hand in to a command of the transport. As
 * long as nothing waits in the ConnectionSender this is the whole way. Only websocket.js calls it.
 */

// The global one is an accessor, which the hot path need not call.
const { Buffer } = require('buffer');

const { CONNECTING, EMPTY_BUFFER, OPEN, kFrameWriter, kTransport } = require('../constants');
const { DEFLATED_ELSEWHERE, maskingKey } = require('./sender');
const PerMessageDeflate = require('../permessage-deflate');
const originals = require('../node/originals').definedBy(require('../sender'), PerMessageDeflate);
const { MAX_CONTROL_PAYLOAD } = require('./send-job');
const { createError } = require('../errors');
const { isBlob } = require('../validation');
const { toBuffer } = require('../buffer-util');
const { nextTick } = require('../node/schedule');

const { hasOriginalControl, hasOriginalSend } = originals.sender;
const { extensionName } = PerMessageDeflate;
const { hasOriginalCompress } = originals.deflate;
const { BINARY, COMPRESS, FIN, MASK } = require('../native').SendFlag;

/** @typedef {any} WebSocket */
/** @typedef {((error?: Error | null) => void) | undefined} Callback */

/**
 * Sends a message or a fragment of one.
 *
 * @param {WebSocket} ws
 * @param {any} data
 * @param {any} options
 * @param {Callback} callback
 * @throws {Error | TypeError}
 */
function sendMessage(ws, data, options, callback) {
  const { readyState } = ws;
  if (readyState === CONNECTING) throw createError('NOT_OPEN', CONNECTING);
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  if (typeof data === 'number') data = data.toString();
  if (readyState !== OPEN) {
    sendAfterClose(ws, data, callback);
    return;
  }

  let binary = typeof data !== 'string';
  let mask = !ws._isServer;
  let compress = true;
  let fin = true;
  if (typeof options === 'object' && options !== null) {
    // Own and enumerable ones count. One that is there and undefined counts as false.
    if (areInherited()) {
      ({ binary, mask, compress, fin } = { binary, mask, compress, fin, ...options });
    } else {
      // A copy alone is made faster than one that comes behind defaults.
      const own = { ...options };
      if ('binary' in own) ({ binary } = own);
      if ('mask' in own) ({ mask } = own);
      if ('compress' in own) ({ compress } = own);
      if ('fin' in own) ({ fin } = own);
    }
  }

  const transport = ws[kTransport];
  const { sender } = transport;
  if (
    !hasOriginalSend(sender) ||
    (sender !== null && !isPassable(ws, sender)) ||
    isForSender(ws, data, transport)
  ) {
    if (!ws._extensions[extensionName]) compress = false;
    ws._sender.send(data || EMPTY_BUFFER, { binary, mask, compress, fin }, callback);
    return;
  }

  if (typeof data !== 'string') data = toBuffer(data || EMPTY_BUFFER);
  if (!fin || transport.isContinued) noteFragment(transport, compress, fin);
  const flags =
    (binary ? BINARY : 0) | (compress ? COMPRESS : 0) | (fin ? FIN : 0) | (mask ? MASK : 0);
  transport.send(data, flags, mask ? drawKey(ws, transport) : undefined, callback);
}

/** Whether a program has given every object a property that is named like an option. */
function areInherited() {
  const { prototype } = Object;
  return (
    'binary' in prototype || 'mask' in prototype || 'compress' in prototype || 'fin' in prototype
  );
}

/**
 * @param {WebSocket} ws
 * @param {any} sender that has been made for it
 * @returns {boolean} whether what is sent may go past it: nothing waits in it, and it frames nothing itself
 */
function isPassable(ws, sender) {
  return sender._state === 0 && !sender[kFrameWriter].isLeft && ws._sender === sender;
}

/**
 * @param {WebSocket} ws
 * @param {any} data
 * @param {any} transport
 * @returns {boolean} whether a Sender has work with it: Blobs and large messages that are to be compressed
 */
function isForSender(ws, data, transport) {
  const isPlain = typeof data === 'string' || Buffer.isBuffer(data);
  if (!isPlain && isBlob(data)) return true;
  if (!transport.isCompressing) return false;
  // A string has at least as many bytes.
  const { length } = isPlain ? data : toBuffer(data || EMPTY_BUFFER);
  return length >= DEFLATED_ELSEWHERE || !hasOriginalCompress(ws._extensions[extensionName]);
}

/**
 * A Sender that is there, or is made later, is to know whether a message goes on.
 *
 * @param {any} transport
 * @param {any} compress
 * @param {any} fin
 */
function noteFragment(transport, compress, fin) {
  const { sender } = transport;
  if (sender !== null) {
    if (sender._firstFragment) sender._compress = !!compress && transport.isCompressing;
    sender._firstFragment = !!fin;
  }
  transport.isContinued = !fin;
}

/**
 * Sends a ping or a pong. The arguments behind `command` may be left out from either end.
 *
 * @param {WebSocket} ws
 * @param {'ping' | 'pong'} command
 * @param {any} data
 * @param {any} mask
 * @param {any} callback
 * @throws {Error | RangeError | TypeError}
 */
function sendControl(ws, command, data, mask, callback) {
  const { readyState } = ws;
  if (readyState === CONNECTING) throw createError('NOT_OPEN', CONNECTING);
  if (typeof data === 'function') {
    callback = data;
    data = mask = undefined;
  } else if (typeof mask === 'function') {
    callback = mask;
    mask = undefined;
  }
  if (typeof data === 'number') data = data.toString();
  if (readyState !== OPEN) {
    sendAfterClose(ws, data, callback);
    return;
  }

  data ||= EMPTY_BUFFER;
  if (mask === undefined) mask = !ws._isServer;
  const transport = ws[kTransport];
  const { sender } = transport;
  if (
    !hasOriginalControl(sender, command) ||
    (sender !== null && !isPassable(ws, sender)) ||
    isBlob(data)
  ) {
    ws._sender[command](data, mask, callback);
    return;
  }
  if (typeof data !== 'string') data = toBuffer(data);
  if (Buffer.byteLength(data) > MAX_CONTROL_PAYLOAD) throw createError('CONTROL_TOO_LONG');
  transport[command](data, mask ? MASK : 0, mask ? drawKey(ws, transport) : undefined, callback);
}

/**
 * @param {WebSocket} ws
 * @param {any} transport of it
 * @returns {Buffer | undefined} masking key; undefined: the addon draws one
 */
function drawKey(ws, transport) {
  return transport.generateMask === undefined ? undefined : maskingKey(ws._sender);
}

/**
 * A send that comes too late: counted, and reported to the callback only.
 *
 * @param {WebSocket} ws
 * @param {any} data
 * @param {Callback} callback
 */
function sendAfterClose(ws, data, callback) {
  if (data) {
    const length = isBlob(data) ? data.size : toBuffer(data).length;
    if (ws._socket) ws._sender._bufferedBytes += length;
    else ws._bufferedAmount += length;
  }
  if (callback) nextTick(callback, createError('NOT_OPEN', ws.readyState));
}

module.exports = { sendControl, sendMessage };
