'use strict';

/*
 * The form in which payloads are handed to the addon: strings with flags that say how much of the last one is known, small
 * binary payloads by way of the shared memory, others as they are. Only transport.js calls it; framing is the addon's.
 */

const native = require('../native');
const { MAX_PLACED, place } = require('./record-reader');

const { PLACED, SAME, STRING, TOTAL } = native.SendFlag;
const { thread } = native;

/** Characters of a string at most that is remembered. */
const MAX_REMEMBERED = 64 * 1024;

/**
 * Queues a message or a fragment.
 *
 * @param {number} id of the connection
 * @param {string | Uint8Array} data
 * @param {number} flags
 * @param {Uint8Array | undefined} key
 * @param {boolean} wantsTotal
 * @returns {number | undefined} the running total at its end, if it is wanted
 */
function queueMessage(id, data, flags, key, wantsTotal) {
  if (wantsTotal) flags |= TOTAL;
  if (typeof data === 'string') return native.send(id, data, flags | textFlags(data), key);
  if (data.length <= MAX_PLACED) return native.send(id, place(data), flags | PLACED, key);
  return native.send(id, data, flags, key);
}

/**
 * Queues a ping or a pong.
 *
 * @param {typeof native.ping} command
 * @param {number} id of the connection
 * @param {string | Uint8Array} data
 * @param {number} flags
 * @param {Uint8Array | undefined} key
 * @returns {number} the running total at its end
 */
function queueControl(command, id, data, flags, key) {
  if (typeof data === 'string') return command(id, data, flags | STRING, key);
  if (data.length <= MAX_PLACED) return command(id, place(data), flags | PLACED, key);
  return command(id, data, flags, key);
}

/**
 * Flags of a string. One that goes to many connections, one after the other, is turned into bytes once.
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
