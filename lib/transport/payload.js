'use strict';

/*
 * Passes payloads to the addon in the cheapest form: repeated strings by a flag, small binary payloads by way of shared
 * memory, others by reference. Only base-transport.js calls it. Framing is the addon's.
 */

const native = require('../native');
const { MAX_PLACED, place } = require('./record-reader');
const { MAX_QUEUED, enqueue } = require('./send-queue');

const { PLACED, SAME, STRING, TOTAL } = native.SendFlag;
const { thread } = native;

/** Maximum length, in UTF-16 code units, of a string that is kept for comparison with the next one. */
const MAX_REMEMBERED = 64 * 1024;

/**
 * Queues a message or a fragment.
 *
 * @param {number} id of the connection
 * @param {string | Uint8Array} data
 * @param {number} flags see SendFlag
 * @param {Uint8Array | undefined} key masking key; undefined: the addon draws one if MASK is set
 * @param {boolean} wantsTotal
 * @returns {number | undefined} the running total of queued bytes, if `wantsTotal`
 */
function queueMessage(id, data, flags, key, wantsTotal) {
  if (wantsTotal) flags |= TOTAL;
  if (typeof data === 'string') return native.send(id, data, flags | textFlags(data), key);
  if (!wantsTotal && key === undefined && data.length <= MAX_QUEUED && enqueue(id, data, flags)) {
    return undefined;
  }
  if (data.length <= MAX_PLACED) return native.send(id, place(data), flags | PLACED, key);
  return native.send(id, data, flags, key);
}

/**
 * Queues a ping or a pong.
 *
 * @param {typeof native.ping} command
 * @param {number} id of the connection
 * @param {string | Uint8Array} data at most 125 bytes
 * @param {number} flags see SendFlag
 * @param {Uint8Array | undefined} key as for queueMessage()
 * @returns {number} the running total of queued bytes
 */
function queueControl(command, id, data, flags, key) {
  if (typeof data === 'string') return command(id, data, flags | STRING, key);
  if (data.length <= MAX_PLACED) return command(id, place(data), flags | PLACED, key);
  return command(id, data, flags, key);
}

/**
 * Flags of a string payload. With SAME, a string sent to many connections in a row is encoded once.
 *
 * @param {string} text about to be sent
 * @returns {number}
 */
function textFlags(text) {
  if (text === thread.lastText) return STRING | SAME;
  thread.lastText = text.length <= MAX_REMEMBERED ? text : null;
  return STRING;
}

module.exports = { queueControl, queueMessage };
