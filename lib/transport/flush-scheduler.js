'use strict';

/*
 * When output leaves: once a tick for everything that was queued in it, and before the process exits. Used
 * by the transports. What a flush writes is theirs.
 */

const { environment } = require('../native');
const { nextTick } = require('../node/schedule');

/** @typedef {{ isDirty: boolean, flush(): void }} Flushable */

/**
 * Streams with output that has not been taken.
 *
 * @type {Flushable[]}
 */
let dirty = [];
/** Whether connections that the addon carries may have output that it was not told to write. */
let isNativeDirty = false;
/** Whether the addon is delivering: it writes by itself when that is done. */
let isDelivering = false;
/** Whether a stream is delivering: all of them are written when that is done. */
let isStreamDelivering = false;
let isArmed = false;
let isExiting = false;

/** @param {Flushable} stream has output; its flush() is called before the tick ends */
function flushStreamLater(stream) {
  if (!stream.isDirty) {
    stream.isDirty = true;
    dirty.push(stream);
  }
  if (!isArmed && !isStreamDelivering) arm();
}

/** A connection that the addon carries has output. */
function flushNativeLater() {
  if (isDelivering) return;
  isNativeDirty = true;
  if (!isArmed) arm();
}

/**
 * Runs a delivery of the addon.
 *
 * @param {InstanceType<typeof import('./event-queue').EventQueue>} delivery
 */
function runNativeDelivery(delivery) {
  isDelivering = !isExiting;
  delivery.canYield = true;
  try {
    delivery.drain();
  } finally {
    delivery.canYield = false;
    isDelivering = false;
  }
}

/**
 * Runs a delivery of a stream.
 *
 * @param {InstanceType<typeof import('./event-queue').EventQueue>} delivery
 * @param {number} count readable records
 */
function runStreamDelivery(delivery, count) {
  // A listener may make another stream deliver: what both have sent is written in the end.
  const isOuter = !isStreamDelivering && !isExiting;
  isStreamDelivering ||= isOuter;
  try {
    delivery.read(count);
  } finally {
    if (isOuter) {
      isStreamDelivering = false;
      flushStreams();
    }
  }
}

function arm() {
  if (isExiting) {
    flushAtExit();
  } else {
    isArmed = true;
    nextTick(flushAll);
  }
}

function flushAll() {
  isArmed = false;
  if (isNativeDirty) {
    isNativeDirty = false;
    environment.flush();
  }
  flushStreams();
}

function flushStreams() {
  if (dirty.length === 0) return;
  const streams = dirty;
  dirty = [];
  for (const stream of streams) {
    try {
      stream.flush();
    } catch (error) {
      // A Duplex of somebody's own may throw: the others are to be written all the same.
      nextTick(() => {
        throw error;
      });
    }
  }
}

/** There is no later tick: what is queued leaves now, also what later `exit` listeners queue. */
function flushAtExit() {
  isExiting = true;
  // The delivery that a listener has exited from never ends.
  isDelivering = false;
  isStreamDelivering = false;
  flushAll();
  environment.flushSync();
}

module.exports = {
  runNativeDelivery,
  flushAtExit,
  flushNativeLater,
  flushStreamLater,
  runStreamDelivery
};
