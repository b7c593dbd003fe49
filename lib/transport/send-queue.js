'use strict';

/*
 * Queues small binary messages for the addon in shared memory, which costs less than a call per message: the addon takes all of
 * them before any other command, at a flush, and behind each delivery. The layout is that of src/transport/send_queue.rs. Only
 * payload.js calls it.
 */

const native = require('../native');

/** Maximum length of a queued payload, in bytes. */
const MAX_QUEUED = 64;

/* Layout, in bytes: the length of all entries, an unused word, the entries of 8 bytes and the payload each, aligned. */
const ENTRIES_START = 8;
const ENTRY_HEADER = 8;
const ALIGNMENT = 8;

const shared = /** @type {ArrayBuffer} */ (native.environment.sendQueue());
const words = new Uint32Array(shared);
const bytes = new Uint8Array(shared);

/** Largest length of all entries with which another one fits. */
const MAX_LENGTH = shared.byteLength - ENTRIES_START - ENTRY_HEADER - MAX_QUEUED;

// Kept, because programs may replace it.
const { set } = Uint8Array.prototype;

/**
 * Queues a message or a fragment.
 *
 * @param {number} id of the connection
 * @param {Uint8Array} data at most MAX_QUEUED bytes
 * @param {number} flags see SendFlag; without TOTAL
 * @returns {boolean} false: the queue is full
 */
function enqueue(id, data, flags) {
  const length = words[0];
  if (length > MAX_LENGTH) return false;
  const start = ENTRIES_START + length;
  const size = data.length;
  const word = start >> 2;
  words[word] = id;
  words[word + 1] = flags | (size << 16);
  set.call(bytes, data, start + ENTRY_HEADER);
  words[0] = length + ENTRY_HEADER + ((size + ALIGNMENT - 1) & -ALIGNMENT);
  return true;
}

module.exports = { MAX_QUEUED, enqueue };
