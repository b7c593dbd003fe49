'use strict';

/*
 * The only file that accesses the memory shared with the addon. Reads what the addon has parsed into a queue of the
 * connection's own, and passes small payloads to it. Used by the transports and by Receiver. What an event means is
 * not known here.
 *
 * Shared memory is never handed out, nor a view of it: what users get is copied out of it, into memory that has bytes
 * of this delivery of this connection only.
 *
 * Reading and emitting are two steps because a listener may make the addon overwrite the shared memory.
 */

const { FastBuffer, split, toArrayBuffer } = require('../buffer-util');
const native = require('../native');

const { ERROR, MESSAGE, WRITTEN } = native.RecordKind;
const { ARENA, FRAGMENTED, BATCHED, DETACHED, LARGE } = native.RecordFlag;

/**
 * Whose records are read, and who has the queue that they go into; see Delivery.
 *
 * @typedef {Object} Reader
 * @property {number} id of the connection
 * @property {import('../native').Connection} connection its object
 * @property {RecordQueue | null} queue
 */

/**
 * The layout of the shared memory, first in words: whether another batch waits, bytes of payloads with the flag BATCHED; where
 * records begin.
 */
const BATCH_WAITS = 0;
const BATCHED_BYTES = 1;
const FIRST_RECORD = 4;
const RECORD_WORDS = 4;
/** Then in bytes: where payloads that are to be sent are placed, and where those of records begin. */
const PLACED_START = 4 * (FIRST_RECORD + 256 * RECORD_WORDS);
const MAX_PLACED = 64;
const PAYLOADS_START = PLACED_START + MAX_PLACED;

/** Bytes of the shared memory, and the last of them whose views are kept: small payloads lie there, from the end down. */
const VIEWED_BYTES = 2 * 1024;

/** Entries of a queue for each event: first word of the record, payload, detail. */
const EVENT_SLOTS = 3;

/** A queue with more slots than this is not kept for reuse. */
const MAX_SPARE_SLOTS = 4096;

const shared = /** @type {ArrayBuffer} */ (native.environment.records());
const arena = /** @type {ArrayBuffer} */ (native.environment.payloadArena());
const records = new Uint32Array(shared, 0, PLACED_START / 4);
const placed = new Uint8Array(shared, PLACED_START, MAX_PLACED);

/** Small payloads start at multiples of this, which the addon sees to. */
const ALIGNMENT = 8;
const VIEWED_START = shared.byteLength - VIEWED_BYTES;

/**
 * Views of the shared memory that were copied from last, by where they start: to make one takes longer than to copy a small
 * payload.
 *
 * @type {Uint8Array[]}
 */
const views = Array.from({ length: VIEWED_BYTES / ALIGNMENT + 1 }, () => placed);
/** The last one from where payloads begin: those with the flag BATCHED, and output. */
let frontView = placed;

// Taken before anybody may have replaced it.
const { set } = Uint8Array.prototype;

/**
 * The queue that the next one in need takes: most connections have nothing to be emitted most of the time, and no queue. It
 * keeps its slots, and holds nothing but numbers: what is written to them later costs no growing.
 *
 * @type {RecordQueue | null}
 */
let spare = null;

/**
 * What shift() returns, always the same object: an event is looked at at once.
 *
 * @type {{ head: number, payload: any, detail: any }}
 */
const taken = { head: 0, payload: undefined, detail: undefined };

/** Events of one connection that have been read and not been emitted, in order. */
class RecordQueue {
  constructor() {
    /** @type {any[]} */
    this.slots = [];
    /** The first slot that is in use, and the first behind them. */
    this.head = 0;
    this.tail = 0;
  }

  /** First word of the next event's record. */
  peek() {
    return this.slots[this.head];
  }
}

/**
 * Reads all that is readable into the queue of the reader.
 *
 * @param {Reader} reader
 * @param {number} count records that are readable now
 */
function readRecords(reader, count) {
  while (count > 0) {
    const queue = (reader.queue ??= takeSpare());
    const { slots } = queue;
    const end = FIRST_RECORD + count * RECORD_WORDS;
    let { tail } = queue;
    const joint = records[BATCHED_BYTES] === 0 ? null : copyFront(records[BATCHED_BYTES]);
    for (let word = FIRST_RECORD; word < end; word += RECORD_WORDS) {
      readRecord(slots, tail, reader, word, joint);
      tail += EVENT_SLOTS;
    }
    queue.tail = tail;
    count = records[BATCH_WAITS] === 0 ? 0 : native.more(reader.id);
  }
}

/**
 * Takes the next event off the queue of the reader, which has one. It must be off before it is emitted: a listener may throw.
 *
 * @param {Reader} reader
 * @returns {{ head: number, payload: any, detail: any }} good until the next call
 */
function shift(reader) {
  const queue = /** @type {RecordQueue} */ (reader.queue);
  const { slots, head } = queue;
  taken.head = slots[head];
  taken.payload = slots[head + 1];
  taken.detail = slots[head + 2];
  // The payload is the listener's from now on.
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

/** Lets go of what shift() has returned, which would stay in memory until the next event. */
function forget() {
  taken.payload = undefined;
  taken.detail = undefined;
}

/**
 * Writes the event of a record into slots.
 *
 * @param {any[]} slots
 * @param {number} at the first of them
 * @param {Reader} reader
 * @param {number} word where the record starts
 * @param {Buffer | null} joint payloads with the flag BATCHED
 */
function readRecord(slots, at, reader, word, joint) {
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
    const memory = /** @type {ArrayBuffer} */ (reader.connection.takeLanded());
    payload = new FastBuffer(memory, offset, length);
  } else if ((head & BATCHED) !== 0) {
    payload = partOf(/** @type {Buffer} */ (joint), offset, length);
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
 * @returns {Buffer} those bytes, in memory of their own that has room for nothing else
 */
function copy(memory, start, length) {
  // From a typed array V8 makes a copy, in memory that it need not zero.
  return new FastBuffer(new Uint8Array(memory, start, length));
}

/**
 * @param {number} start in the shared memory
 * @param {number} length
 * @returns {Uint8Array}
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
 * @returns {Buffer} as many bytes from where payloads begin, in memory of their own
 */
function copyFront(length) {
  if (frontView.length !== length || frontView === placed) {
    frontView = new Uint8Array(shared, PAYLOADS_START, length);
  }
  return new FastBuffer(frontView);
}

/**
 * @param {Buffer} joint
 * @param {number} offset
 * @param {number} length
 * @returns {Buffer} a payload of several, or the only one
 */
function partOf(joint, offset, length) {
  return length === joint.length ? joint : new FastBuffer(joint.buffer, offset, length);
}

/**
 * Takes the output of a connection over a stream.
 *
 * @param {Reader} reader
 * @returns {Buffer | null} null: there is none
 */
function takeOutput(reader) {
  const length = native.takeOutput(reader.id);
  if (length === 0) return reader.connection.takeOutput();
  return copyFront(length);
}

/**
 * Places a payload for the next command, which gets its length in its stead, and the flag PLACED: the addon would make V8
 * move a payload off its heap.
 *
 * @param {Uint8Array} bytes MAX_PLACED of them at most
 * @returns {number} how many
 */
function place(bytes) {
  set.call(placed, bytes);
  return bytes.length;
}

/** @returns {RecordQueue} */
function takeSpare() {
  const queue = spare ?? new RecordQueue();
  spare = null;
  return queue;
}

/**
 * Gives a binary message the form that `binaryType` asks for.
 *
 * @param {Buffer} payload
 * @param {number[] | number} lengths of its non-empty frames, if it came in more than one
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
