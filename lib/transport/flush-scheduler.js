'use strict';

/*
 * Decides when queued output is written: once per tick or delivery for all of it, and before the process exits. Used by
 * the transports, which do the writing. Counts the open connections of this copy of the package, because the exit hook and
 * the sweep of idle connections are needed only while there are any.
 */

const { environment, thread } = require('../native');
const { isDebugging, tracedEnvironment } = require('./debug');
const { rethrowLater } = require('./write-callbacks');
const { nextTick } = require('../node/schedule');

/** @typedef {{ isDirty: boolean, flush(): void }} Stream a transport over a stream */
/** @typedef {InstanceType<typeof import('./event-queue').EventQueue>} EventQueue */

/**
 * Stream transports with unwritten output.
 *
 * @type {Stream[]}
 */
let dirty = [];
/** True if connections of the addon may have output that it has not been told to write. */
let isNativeDirty = false;
/** True during a delivery of the addon, which writes at its end without being told. */
let isDelivering = false;
/** True during a delivery of a stream, at whose end all streams are flushed. */
let isStreamDelivering = false;
/** True if a tick that flushes is scheduled. */
let isArmed = false;
let isExiting = false;
let connections = 0;

/**
 * Schedules a flush of a stream transport: at the end of the delivery, or in the next tick.
 *
 * @param {Stream} stream
 */
function flushStreamLater(stream) {
  if (!stream.isDirty) {
    stream.isDirty = true;
    dirty.push(stream);
  }
  if (!isArmed && !isStreamDelivering) arm();
}

/** Schedules a flush of all connections of the addon. */
function flushNativeLater() {
  if (isDelivering) return;
  isNativeDirty = true;
  if (!isArmed) arm();
}

/**
 * Emits pending events of a connection of the addon. Output queued by listeners is written by the addon afterwards.
 *
 * @param {EventQueue} queue
 */
function runNativeDelivery(queue) {
  isDelivering = !isExiting;
  queue.canYield = true;
  try {
    queue.emitPending();
  } finally {
    queue.canYield = false;
    isDelivering = false;
  }
}

/**
 * Reads and emits events of a connection over a stream, then writes the output that listeners have queued.
 *
 * @param {EventQueue} queue
 * @param {number} count number of readable records
 */
function runStreamDelivery(queue, count) {
  // A listener may cause a delivery of another stream; the outermost one flushes.
  const isOutermost = !isStreamDelivering && !isExiting;
  isStreamDelivering ||= isOutermost;
  try {
    queue.read(count);
  } finally {
    if (isOutermost) {
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
      // A user-defined Duplex may throw; the other streams are flushed nevertheless.
      rethrowLater(error);
    }
  }
}

/** Writes all queued output at process exit, where no later tick runs. Later sends of `exit` listeners are written at once. */
function flushAtExit() {
  isExiting = true;
  // A delivery during which a listener calls process.exit() does not return.
  isDelivering = false;
  isStreamDelivering = false;
  flushAll();
  environment.flushSync();
}

/** To be called for each connection that opens. */
function connectionOpened() {
  thread.connectionOpened(isDebugging ? tracedEnvironment : environment);
  // Registered here and not by the first send, which may come from an 'exit' listener.
  if (connections++ === 0) thread.flushAtExit(flushAtExit);
}

/** To be called for each connection that has closed. */
function connectionClosed() {
  thread.connectionClosed();
  if (--connections === 0) thread.exitHooks.delete(flushAtExit);
}

module.exports = {
  connectionClosed,
  connectionOpened,
  flushNativeLater,
  flushStreamLater,
  runNativeDelivery,
  runStreamDelivery
};
