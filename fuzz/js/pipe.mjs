/**
 * Two in-memory streams that are each other's peer, in place of sockets. Node's duplexPair() is missing in some supported
 * versions. As with sockets, separate writes and the end after them are read in iterations of their own: programs that end in
 * the iteration of their last byte behave differently with any library.
 */

import { Duplex } from 'node:stream';

class End extends Duplex {
  /** @type {End | undefined} */
  peer;
  /** The callback of the peer's write, until this side reads. @type {(() => void) | null} */
  written = null;

  /** @override */
  _read() {
    this.settle();
  }

  /**
   * @override
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {() => void} callback
   */
  _write(chunk, _encoding, callback) {
    const { peer } = this;
    if (!peer || peer.destroyed) {
      callback();
      return;
    }
    peer.written = callback;
    peer.push(chunk);
  }

  /**
   * @override
   * @param {() => void} callback
   */
  _final(callback) {
    this.endPeer();
    callback();
  }

  /**
   * @override
   * @param {Error | null} error
   * @param {(error: Error | null) => void} callback
   */
  _destroy(error, callback) {
    this.settle();
    this.endPeer();
    callback(error);
  }

  /** Calls back the peer's write: its data was read, or never will be. */
  settle() {
    const { written } = this;
    this.written = null;
    if (written) setImmediate(written);
  }

  /** Lets the peer read the end. */
  endPeer() {
    const { peer } = this;
    this.peer = undefined;
    setImmediate(() => {
      if (peer && !peer.destroyed) peer.push(null);
    });
  }
}

/** @returns {[Duplex, Duplex]} */
export function createPipe() {
  const [left, right] = [new End(), new End()];
  left.peer = right;
  right.peer = left;
  return [left, right];
}
