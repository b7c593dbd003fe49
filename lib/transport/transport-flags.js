'use strict';

/*
 * Booleans of a transport that change rarely, in one number: a server holds thousands of transports. Base class of event-queue.js;
 * a boolean that is read per message has a property of its own.
 */

const INPUT_ENDED = 1;
const FAILED = 2;
const PING_ANSWERED = 4;
const CLOSED = 8;
const REFERENCED = 16;
const WRITTEN_REQUESTED = 32;
const SOCKET_DESTROYED = 64;
const SHUT_DOWN = 128;
const EMITTING_HEAD = 256;
const LOST_DESCRIPTOR = 512;

class TransportFlags {
  constructor() {
    this.flags = 0;
  }

  /** True if nothing more will be parsed: after a close frame, a protocol error or the end of the stream. */
  get isInputEnded() {
    return (this.flags & INPUT_ENDED) !== 0;
  }

  set isInputEnded(value) {
    this.flags = value ? this.flags | INPUT_ENDED : this.flags & ~INPUT_ENDED;
  }

  /** True if the peer has violated the protocol. */
  get hasFailed() {
    return (this.flags & FAILED) !== 0;
  }

  set hasFailed(value) {
    this.flags = value ? this.flags | FAILED : this.flags & ~FAILED;
  }

  /** True if the addon has answered the ping being emitted. */
  get isPingAnswered() {
    return (this.flags & PING_ANSWERED) !== 0;
  }

  set isPingAnswered(value) {
    this.flags = value ? this.flags | PING_ANSWERED : this.flags & ~PING_ANSWERED;
  }

  /** True between the `close` of the socket and that of the WebSocket, which waits until all events have been emitted. */
  get isClosed() {
    return (this.flags & CLOSED) !== 0;
  }

  set isClosed(value) {
    this.flags = value ? this.flags | CLOSED : this.flags & ~CLOSED;
  }

  /** True if the connection keeps the event loop alive. */
  get isReferenced() {
    return (this.flags & REFERENCED) !== 0;
  }

  set isReferenced(value) {
    this.flags = value ? this.flags | REFERENCED : this.flags & ~REFERENCED;
  }

  /** True if a WRITTEN record has been requested and not received. */
  get isWrittenRequested() {
    return (this.flags & WRITTEN_REQUESTED) !== 0;
  }

  set isWrittenRequested(value) {
    this.flags = value ? this.flags | WRITTEN_REQUESTED : this.flags & ~WRITTEN_REQUESTED;
  }

  /** True if the socket has been destroyed. */
  get isSocketDestroyed() {
    return (this.flags & SOCKET_DESTROYED) !== 0;
  }

  set isSocketDestroyed(value) {
    this.flags = value ? this.flags | SOCKET_DESTROYED : this.flags & ~SOCKET_DESTROYED;
  }

  /** True if the writing side has been shut down. */
  get isShutDown() {
    return (this.flags & SHUT_DOWN) !== 0;
  }

  set isShutDown(value) {
    this.flags = value ? this.flags | SHUT_DOWN : this.flags & ~SHUT_DOWN;
  }

  /** True if events of the bytes behind the handshake are being emitted. */
  get isEmittingHead() {
    return (this.flags & EMITTING_HEAD) !== 0;
  }

  set isEmittingHead(value) {
    this.flags = value ? this.flags | EMITTING_HEAD : this.flags & ~EMITTING_HEAD;
  }

  /** True if the socket's handle was closed or taken away, though the socket is not destroyed. */
  get hasLostDescriptor() {
    return (this.flags & LOST_DESCRIPTOR) !== 0;
  }

  set hasLostDescriptor(value) {
    this.flags = value ? this.flags | LOST_DESCRIPTOR : this.flags & ~LOST_DESCRIPTOR;
  }
}

module.exports = { TransportFlags };
