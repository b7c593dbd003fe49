'use strict';

/*
 * What WebSocket.send(), ping() and pong() do: from whatever users hand in to a command of the transport. As
 * long as nothing waits in the ConnectionSender this is the whole way. Only websocket.js calls it.
 */

// The global one is an accessor, which the hot path need not call.
const { Buffer } = require('buffer');

const { CONNECTING, EMPTY_BUFFER, OPEN, kTransport } = require('./constants');
const { DEFLATED_ELSEWHERE } = require('./connection-sender');
const { MAX_CONTROL_PAYLOAD } = require('./send-job');
const { createError } = require('./errors');
const { isBlob } = require('./validation');
const { toBuffer } = require('./buffer-util');
const { nextTick } = require('./schedule');

const { BINARY, COMPRESS, FIN, MASK } = require('./native').SendFlag;

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
  if (ws._readyState === CONNECTING) throw createError('NOT_OPEN', CONNECTING);
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  if (typeof data === 'number') data = data.toString();
  if (ws._readyState !== OPEN) {
    sendAfterClose(ws, data, callback);
    return;
  }

  let binary = typeof data !== 'string';
  let fin = true;
  let mask = !ws._isServer;
  let compress = true;
  if (typeof options === 'object' && options !== null) {
    // An option that is there and undefined counts as false.
    if ('binary' in options) binary = options.binary;
    if ('fin' in options) fin = options.fin;
    if ('mask' in options) mask = options.mask;
    if ('compress' in options) compress = options.compress;
  }

  const transport = ws[kTransport];
  const { sender } = transport;
  const isBusy = sender !== null && sender.isBusy;
  if (typeof data !== 'string' && !Buffer.isBuffer(data)) {
    data ||= EMPTY_BUFFER;
    if (isBusy || isBlob(data)) {
      ws._sender.send(data, { binary, compress, fin, mask }, callback);
      return;
    }
    data = toBuffer(data);
  } else if (isBusy) {
    sender.send(data, { binary, compress, fin, mask }, callback);
    return;
  }

  // A string has at least as many bytes.
  if (transport.isCompressing && data.length >= DEFLATED_ELSEWHERE) {
    ws._sender.send(data, { binary, compress, fin, mask }, callback);
    return;
  }
  const flags =
    (binary ? BINARY : 0) | (compress ? COMPRESS : 0) | (fin ? FIN : 0) | (mask ? MASK : 0);
  transport.send(data, flags, mask ? drawKey(ws, transport) : undefined, callback);
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
  if (ws._readyState === CONNECTING) throw createError('NOT_OPEN', CONNECTING);
  if (typeof data === 'function') {
    callback = data;
    data = mask = undefined;
  } else if (typeof mask === 'function') {
    callback = mask;
    mask = undefined;
  }
  if (typeof data === 'number') data = data.toString();
  if (ws._readyState !== OPEN) {
    sendAfterClose(ws, data, callback);
    return;
  }

  data ||= EMPTY_BUFFER;
  if (mask === undefined) mask = !ws._isServer;
  const transport = ws[kTransport];
  const { sender } = transport;
  if (isBlob(data) || (sender !== null && sender.isBusy)) {
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
  return transport.generateMask === undefined ? undefined : ws._sender.maskingKey();
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
    const sender = ws._sender;
    if (sender) sender._bufferedBytes += length;
    else ws._bufferedAmount = Number(ws._bufferedAmount) + length;
  }
  if (callback) nextTick(callback, createError('NOT_OPEN', ws._readyState));
}

module.exports = { sendControl, sendMessage };
