/**
 * Two streams that are each other's peer, in memory: what the fuzzers of handshakes use in place of sockets. Node has
 * duplexPair(), but not in every version that ferrows runs on. As with sockets, what is written in two pieces, and what
 * ends after it, is read in turns of its own: programs that end in the turn of their last byte see other things with
 * any library. What is sent is not known here.
 */

import { Duplex } from 'node:stream';

class End extends Duplex {
  /** @type {End | undefined} */
  peer;
  /** The callback of the peer's write, until somebody reads here. @type {(() => void) | null} */
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

  /** Tells the peer that its data has been read, or never will be. */
  settle() {
    const { written } = this;
    this.written = null;
    if (written) setImmediate(written);
  }

  /** The peer reads the end. */
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
