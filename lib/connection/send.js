'use strict';

/*
 * WebSocket.send(), ping() and pong(): the fast path from the arguments of a program to one command of the transport. Blobs,
 * large messages to compress, and everything while the Sender has a queue or replaced methods, go through `ws._sender`
 * (sender.js) instead. Only websocket.js calls it.
 */

// The global one is an accessor, which costs a call on the hot path.
const { Buffer } = require('buffer');

const { CONNECTING, EMPTY_BUFFER, OPEN, kFrameWriter, kTransport } = require('../constants');
const { MAX_CONTROL_PAYLOAD } = require('./frame');
const { OFF_THREAD_LENGTH, maskingKey } = require('./sender');
const PerMessageDeflate = require('../permessage-deflate');
const originals = require('../node/originals').definedBy(require('../sender'), PerMessageDeflate);
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
 * @throws {Error} while connecting
 * @throws {TypeError} on data of another type than those of WebSocket.send()
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
    // Own, enumerable properties only. A property that exists and is undefined means false.
    if (hasInheritedOptions()) {
      ({ binary, mask, compress, fin } = { binary, mask, compress, fin, ...options });
    } else {
      // A plain copy is faster than a copy over defaults.
      const own = { ...options };
      if ('binary' in own) ({ binary } = own);
      if ('mask' in own) ({ mask } = own);
      if ('compress' in own) ({ compress } = own);
      if ('fin' in own) ({ fin } = own);
    }
  }

  const transport = ws[kTransport];
  const { backpressure, sender } = transport;
  if (backpressure !== null) {
    if (!backpressure.admitMessage(data, !!binary, !!fin)) return backpressure.reject(callback);
    callback = backpressure.observe(callback);
  }
  if (
    !hasOriginalSend(sender) ||
    (sender !== null && !canBypass(ws, sender)) ||
    needsSender(ws, data, transport)
  ) {
    if (!ws._extensions[extensionName]) compress = false;
    ws._sender.send(data || EMPTY_BUFFER, { binary, mask, compress, fin }, callback);
    return;
  }

  if (typeof data !== 'string') data = toBuffer(data || EMPTY_BUFFER);
  if (!fin || transport.isFragmenting) trackFragment(transport, compress, fin);
  const flags =
    (binary ? BINARY : 0) | (compress ? COMPRESS : 0) | (fin ? FIN : 0) | (mask ? MASK : 0);
  transport.send(data, flags, mask ? drawKey(ws, transport) : undefined, callback);
}

/** @returns {boolean} true if a program has added a property with the name of an option to every object */
function hasInheritedOptions() {
  const { prototype } = Object;
  return (
    'binary' in prototype || 'mask' in prototype || 'compress' in prototype || 'fin' in prototype
  );
}

/**
 * @param {WebSocket} ws
 * @param {any} sender its Sender
 * @returns {boolean} true if the Sender has no queue and builds no frames, so that a message may bypass it
 */
function canBypass(ws, sender) {
  return sender._state === 0 && !sender[kFrameWriter].isBypassed && ws._sender === sender;
}

/**
 * @param {WebSocket} ws
 * @param {any} data
 * @param {any} transport
 * @returns {boolean} true for Blobs, and for messages to compress that are large or that a replaced compress() handles
 */
function needsSender(ws, data, transport) {
  const isPlain = typeof data === 'string' || Buffer.isBuffer(data);
  if (!isPlain && isBlob(data)) return true;
  if (!transport.isCompressing) return false;
  // A string has at least as many bytes as UTF-16 code units.
  const { length } = isPlain ? data : toBuffer(data || EMPTY_BUFFER);
  return length >= OFF_THREAD_LENGTH || !hasOriginalCompress(ws._extensions[extensionName]);
}

/**
 * Keeps the fragment state of the Sender, made already or later, in step with frames that bypass it.
 *
 * @param {any} transport
 * @param {any} compress
 * @param {any} fin
 */
function trackFragment(transport, compress, fin) {
  const { sender } = transport;
  if (sender !== null) {
    if (sender._firstFragment) sender._compress = !!compress && transport.isCompressing;
    sender._firstFragment = !!fin;
  }
  transport.isFragmenting = !fin;
}

/**
 * Sends a ping or a pong. `callback` may take the place of `data` or `mask`.
 *
 * @param {WebSocket} ws
 * @param {'ping' | 'pong'} command
 * @param {any} data
 * @param {any} mask
 * @param {any} callback
 * @throws {Error} while connecting
 * @throws {RangeError} on more than 125 bytes
 * @throws {TypeError} on data of another type
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
  const { backpressure, sender } = transport;
  if (backpressure !== null && !backpressure.admitControl(data)) {
    return backpressure.reject(callback);
  }
  if (
    !hasOriginalControl(sender, command) ||
    (sender !== null && !canBypass(ws, sender)) ||
    isBlob(data)
  ) {
    ws._sender[command](data, mask, callback);
    return;
  }
  if (typeof data !== 'string') data = toBuffer(data);
  if (Buffer.byteLength(data) > MAX_CONTROL_PAYLOAD) throw createError('CONTROL_TOO_LONG');
  const key = mask ? drawKey(ws, transport) : undefined;
  transport.control(command, data, mask ? MASK : 0, key, callback);
}

/**
 * @param {WebSocket} ws
 * @param {any} transport
 * @returns {Buffer | undefined} masking key; undefined: the addon draws a random one
 */
function drawKey(ws, transport) {
  return transport.generateMask === undefined ? undefined : maskingKey(ws._sender);
}

/**
 * Handles a send after closing began: adds its length to `bufferedAmount` and passes an error to the callback, as ws does.
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
