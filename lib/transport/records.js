'use strict';

/*
 * Reads what the addon has parsed: records in shared memory, payloads in the slab, into a queue of the
 * connection's own. Used by the transports and by Receiver. What an event means is not known here.
 *
 * Reading and emitting are two steps because a listener may make the addon overwrite the records.
 */

const { markAsUntransferable } = require('worker_threads');

const { EMPTY_BUFFER } = require('../constants');
const { FastBuffer, split, toArrayBuffer } = require('../buffer-util');
const native = require('../native');

const { ERROR, MESSAGE, WRITTEN } = native.RecordKind;
const { BULK, FRAGMENTED, LANDED, LARGE } = native.RecordFlag;

/**
 * Whose records are read, and who has the queue that they go into; see Delivery.
 *
 * @typedef {Object} Reader
 * @property {number} id of the connection
 * @property {import('../native').Connection} connection its object
 * @property {RecordQueue | null} queue
 */

/**
 * Words of the shared array: generation of the slab, whether another batch waits, where taken output is, generation of the
 * bulk; where records begin.
 */
const GENERATION = 0;
const BATCH_WAITS = 1;
const OUTPUT = 2;
const BULK_GENERATION = 3;
const FIRST_RECORD = 4;
const RECORD_WORDS = 4;

/** Entries of a queue for each event: first word of the record, payload, detail. */
const EVENT_SLOTS = 3;

/** A queue with more slots than this is not kept for reuse. */
const MAX_SPARE_SLOTS = 4096;

const records = new Uint32Array(native.environment.records());

/** @type {ArrayBuffer} */
let slab;
/** Generation of `slab`; 0: none yet. */
let generation = 0;

/** The same for large messages. @type {ArrayBuffer} */
let bulk;
let bulkGeneration = 0;

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
    if (records[GENERATION] !== generation) adoptSlab();
    if (records[BULK_GENERATION] !== bulkGeneration) adoptBulk();
    const queue = (reader.queue ??= takeSpare());
    const { slots } = queue;
    const end = FIRST_RECORD + count * RECORD_WORDS;
    let { tail } = queue;
    for (let word = FIRST_RECORD; word < end; word += RECORD_WORDS) {
      readRecord(slots, tail, reader, word);
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

/**
 * Writes the event of a record into slots.
 *
 * @param {any[]} slots
 * @param {number} at the first of them
 * @param {Reader} reader
 * @param {number} word where the record starts
 */
function readRecord(slots, at, reader, word) {
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
  } else if ((head & BULK) !== 0) {
    payload = new FastBuffer(bulk, offset, length);
  } else if ((head & LANDED) !== 0) {
    const memory = /** @type {ArrayBuffer} */ (reader.connection.takeLanded());
    payload = new FastBuffer(memory, offset, length);
  } else if (kind <= ERROR) {
    payload = length === 0 ? EMPTY_BUFFER : new FastBuffer(slab, offset, length);
  } else if (kind === WRITTEN) {
    payload = offset + detail * 0x100000000;
  }
  if (kind === MESSAGE && (head & FRAGMENTED) !== 0) detail = reader.connection.takeFragments();
  slots[at] = head;
  slots[at + 1] = payload;
  slots[at + 2] = detail;
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
  if (records[GENERATION] !== generation) adoptSlab();
  return new FastBuffer(slab, records[OUTPUT], length);
}

function adoptBulk() {
  bulk = /** @type {ArrayBuffer} */ (native.environment.bulk());
  bulkGeneration = records[BULK_GENERATION];
  markAsUntransferable(bulk);
}

function adoptSlab() {
  slab = /** @type {ArrayBuffer} */ (native.environment.slab());
  generation = records[GENERATION];
  // A listener that transferred a message's memory to a worker would take all other messages along.
  markAsUntransferable(slab);
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

module.exports = { RecordQueue, readRecords, shift, takeOutput, toBinaryType };
