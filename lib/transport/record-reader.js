'use strict';

/*
 * The only file that accesses the memory shared with the addon, except for the receive buffer (direct-reader.js) and queued
 * messages (send-queue.js). Reads parsed events into the queue of their connection, takes output, and places small payloads. Used
 * by the transports. The meaning of an event is not known here.
 *
 * Neither shared memory nor a view of it leaves this file: payloads are copied out, into memory that holds bytes of one
 * delivery of one connection only.
 *
 * Reading and emitting are two steps because a listener may cause the addon to overwrite the shared memory.
 */

// The global one is an accessor.
const { Buffer } = require('buffer');

const { FastBuffer, split, toArrayBuffer } = require('../buffer-util');
const native = require('../native');

const { ERROR, MESSAGE, WRITTEN } = native.RecordKind;
const { ARENA, FRAGMENTED, BATCHED, DETACHED, LARGE } = native.RecordFlag;

/**
 * The connection whose records are read; see EventQueue.
 *
 * @typedef {Object} Reader
 * @property {number} id
 * @property {import('../native').Connection} connection
 * @property {RecordQueue | null} queue receives the events
 */

/*
 * Layout of the shared memory. In 32-bit words: 1 if another batch waits; number of payload bytes with the flag BATCHED;
 * from word 4 on, up to 256 records of 4 words.
 */
const BATCH_WAITS = 0;
const BATCHED_BYTES = 1;
const FIRST_RECORD = 4;
const RECORD_WORDS = 4;
/* Behind them, in bytes: payloads to be sent, then payloads of records. */
const PLACED_START = 4 * (FIRST_RECORD + 256 * RECORD_WORDS);
const MAX_PLACED = 64;
const PAYLOADS_START = PLACED_START + MAX_PLACED;

/** Bytes at the end of the shared memory whose views are cached: the addon puts small payloads there, from the end down. */
const VIEWED_BYTES = 2 * 1024;

/** Maximum length of output in Node's pool. Longer output would be in memory of its own. */
const MAX_POOLED = 4 * 1024 - 1;

/** Slots of a queue per event: first word of the record, payload, detail. */
const EVENT_SLOTS = 3;

/** Maximum number of slots of a queue that is kept for reuse. */
const MAX_SPARE_SLOTS = 4096;

const shared = /** @type {ArrayBuffer} */ (native.environment.records());
const arena = /** @type {ArrayBuffer} */ (native.environment.payloadArena());
const records = new Uint32Array(shared, 0, PLACED_START / 4);
const placed = new Uint8Array(shared, PLACED_START, MAX_PLACED);

/** Alignment of small payloads in the shared memory, in bytes. */
const ALIGNMENT = 8;
const VIEWED_START = shared.byteLength - VIEWED_BYTES;

/**
 * The most recent view for each aligned offset: creating a view takes longer than copying a small payload.
 *
 * @type {Uint8Array[]}
 */
const views = Array.from({ length: VIEWED_BYTES / ALIGNMENT + 1 }, () => placed);
/** The most recent view of the start of the payloads: those with the flag BATCHED, and output. */
let frontView = placed;

// Kept, because programs may replace them.
const { set } = Uint8Array.prototype;
const { allocUnsafe } = Buffer;

/**
 * An empty queue for the next connection that needs one; most connections have no events, and no queue, most of the time.
 * Its slots hold numbers only, and are not grown again.
 *
 * @type {RecordQueue | null}
 */
let spare = null;

/**
 * Result of shift(), reused for every event.
 *
 * @type {{ head: number, payload: any, detail: any }}
 */
const taken = { head: 0, payload: undefined, detail: undefined };

/** Events of one connection that have been read and not been emitted, in order. */
class RecordQueue {
  constructor() {
    /** @type {any[]} */
    this.slots = [];
    /** Index of the first slot in use, and of the first one behind the last in use. */
    this.head = 0;
    this.tail = 0;
  }

  /** Returns the first word of the next event's record. */
  peek() {
    return this.slots[this.head];
  }
}

/**
 * Reads all readable records into the queue of a connection.
 *
 * @param {Reader} reader
 * @param {number} count number of records in the current batch; more batches may follow
 */
function readRecords(reader, count) {
  while (count > 0) {
    const queue = (reader.queue ??= takeSpare());
    const { slots } = queue;
    const end = FIRST_RECORD + count * RECORD_WORDS;
    let { tail } = queue;
    const batched = records[BATCHED_BYTES] === 0 ? null : copyFront(records[BATCHED_BYTES]);
    for (let word = FIRST_RECORD; word < end; word += RECORD_WORDS) {
      readRecord(slots, tail, reader, word, batched);
      tail += EVENT_SLOTS;
    }
    queue.tail = tail;
    count = records[BATCH_WAITS] === 0 ? 0 : native.more(reader.id);
  }
}

/**
 * Removes the next event from the queue, before it is emitted: a listener may throw.
 *
 * @param {Reader} reader with a queue
 * @returns {{ head: number, payload: any, detail: any }} valid until the next call
 */
function shift(reader) {
  const queue = /** @type {RecordQueue} */ (reader.queue);
  const { slots, head } = queue;
  taken.head = slots[head];
  taken.payload = slots[head + 1];
  taken.detail = slots[head + 2];
  // The queue must not keep the payload alive.
  slots[head + 1] = 0;
  slots[head + 2] = 0;

  queue.head = head + EVENT_SLOTS;
  if (queue.head === queue.tail) {
    reader.queue = null;
    queue.head = 0;
    queue.tail = 0;
    if (slots.length <= MAX_SPARE_SLOTS) spare = queue;
  }
  return taken;
}

/** Drops the result of shift(), which would keep the payload alive until the next event. */
function forget() {
  taken.payload = undefined;
  taken.detail = undefined;
}

/**
 * Writes the event of a record into three slots.
 *
 * @param {any[]} slots
 * @param {number} at index of the first slot
 * @param {Reader} reader
 * @param {number} word index of the record's first word
 * @param {Buffer | null} batched the payloads with the flag BATCHED
 */
function readRecord(slots, at, reader, word, batched) {
  const head = records[word];
  const kind = head & 0xff;
  const offset = records[word + 1];
  const length = records[word + 2];
  /** @type {any} */
  let detail = records[word + 3];
  /** @type {any} */
  let payload;

  if ((head & LARGE) !== 0) {
    payload = reader.connection.takeLarge();
  } else if ((head & ARENA) !== 0) {
    payload = copy(arena, offset, length);
  } else if ((head & DETACHED) !== 0) {
    const memory = /** @type {ArrayBuffer} */ (reader.connection.takeDetached());
    payload = new FastBuffer(memory, offset, length);
  } else if ((head & BATCHED) !== 0) {
    payload = partOf(/** @type {Buffer} */ (batched), offset, length);
  } else if (kind <= ERROR) {
    payload = new FastBuffer(viewOf(PAYLOADS_START + offset, length));
  } else if (kind === WRITTEN) {
    payload = offset + detail * 0x100000000;
  }
  if (kind === MESSAGE && (head & FRAGMENTED) !== 0) detail = reader.connection.takeFragments();
  slots[at] = head;
  slots[at + 1] = payload;
  slots[at + 2] = detail;
}

/**
 * @param {ArrayBuffer} memory shared with the addon
 * @param {number} start
 * @param {number} length
 * @returns {Buffer} a copy, in an ArrayBuffer of exactly that length
 */
function copy(memory, start, length) {
  // V8 copies from a typed array into memory that it need not zero.
  return new FastBuffer(new Uint8Array(memory, start, length));
}

/**
 * @param {number} start offset in the shared memory
 * @param {number} length
 * @returns {Uint8Array} a view, cached for small payloads
 */
function viewOf(start, length) {
  if (start < VIEWED_START || start % ALIGNMENT !== 0) {
    return new Uint8Array(shared, start, length);
  }
  const index = (start - VIEWED_START) / ALIGNMENT;
  const view = views[index];
  if (view.byteOffset === start && view.length === length) return view;
  return (views[index] = new Uint8Array(shared, start, length));
}

/**
 * @param {number} length
 * @returns {Buffer} a copy of that many bytes from the start of the payloads
 */
function copyFront(length) {
  return new FastBuffer(viewFront(length));
}

/**
 * @param {number} length
 * @returns {Uint8Array} a view of that many bytes from the start of the payloads
 */
function viewFront(length) {
  if (frontView.length !== length || frontView === placed) {
    frontView = new Uint8Array(shared, PAYLOADS_START, length);
  }
  return frontView;
}

/**
 * @param {Buffer} batched
 * @param {number} offset
 * @param {number} length
 * @returns {Buffer} one payload of `batched`; `batched` itself if it is the only one
 */
function partOf(batched, offset, length) {
  return length === batched.length ? batched : new FastBuffer(batched.buffer, offset, length);
}

/**
 * Takes the queued output of a connection over a stream.
 *
 * @param {Reader} reader
 * @param {boolean} isPooled true: small output may be in Node's pool, because no program sees it. Memory of its own costs more
 *   than the rest of a small write outside of the kernel
 * @returns {Buffer | null} null if nothing is queued
 */
function takeOutput(reader, isPooled) {
  const length = native.takeOutput(reader.id);
  if (length === 0) return reader.connection.takeOutput();
  if (!isPooled || length > MAX_POOLED) return copyFront(length);
  const output = allocUnsafe(length);
  set.call(output, viewFront(length));
  return output;
}

/**
 * Copies a payload into shared memory for the next command, which is passed the length and the flag PLACED. Node-API would
 * make V8 move the payload off its heap.
 *
 * @param {Uint8Array} bytes at most MAX_PLACED
 * @returns {number} their length
 */
function place(bytes) {
  set.call(placed, bytes);
  return bytes.length;
}

/** @returns {RecordQueue} an empty one */
function takeSpare() {
  const queue = spare ?? new RecordQueue();
  spare = null;
  return queue;
}

/**
 * Converts a binary message to the form of `binaryType`.
 *
 * @param {Buffer} payload
 * @param {number[] | number} lengths lengths of its non-empty frames, if there was more than one
 * @param {string} binaryType
 * @returns {Buffer | ArrayBuffer | Buffer[] | Blob}
 */
function toBinaryType(payload, lengths, binaryType) {
  switch (binaryType) {
    case 'arraybuffer':
      return toArrayBuffer(payload);
    case 'fragments':
      if (Array.isArray(lengths)) return split(payload, lengths);
      return payload.length === 0 ? [] : [payload];
    case 'blob':
      return new Blob([/** @type {Buffer<ArrayBuffer>} */ (payload)]);
    default:
      return payload;
  }
}

module.exports = {
  MAX_PLACED,
  RecordQueue,
  forget,
  place,
  readRecords,
  shift,
  takeOutput,
  toBinaryType
};
