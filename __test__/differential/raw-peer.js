'use strict';

// The end of a connection that is a plain TCP, Unix or TLS socket: it sends any bytes and reads the bytes of the library under
// test, independent of segment boundaries. Used by context.js; traces do not belong here.

const { createHash } = require('node:crypto');
const { KEY, OPCODE, closeBody, decode, frame } = require('./frames');

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The Sec-WebSocket-Key of RFC 6455, section 1.3, sent by all raw clients. */
const CLIENT_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/**
 * The Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455, section 4.2.2).
 *
 * @param {string} key
 * @returns {string}
 */
function acceptKey(key) {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/**
 * The bytes of an opening handshake.
 *
 * @param {{ method?: string, target?: string, version?: string, headers?: Record<string, string | string[] | null> }} [change]
 *   headers replace or (null) remove those of a valid request
 * @returns {string}
 */
function upgradeRequest({ method = 'GET', target = '/', version = '1.1', headers = {} } = {}) {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': CLIENT_KEY,
    'Sec-WebSocket-Version': '13',
    ...headers
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((one) => `${name}: ${one}`)
  );
  return [`${method} ${target} HTTP/${version}`, ...lines, '', ''].join('\r\n');
}

/**
 * Received bytes that have not been read. Capacity doubles, so that megabytes in small chunks are copied once or twice. Bytes
 * that were returned are never overwritten.
 */
class ReceiveBuffer {
  #buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** @returns {Buffer} all unread bytes, a view */
  get unread() {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** @param {Buffer} chunk */
  append(chunk) {
    if (this.#end + chunk.length > this.#buffer.length) {
      const { unread } = this;
      this.#buffer = Buffer.alloc(Math.max(4096, 2 * (unread.length + chunk.length)));
      unread.copy(this.#buffer);
      this.#start = 0;
      this.#end = unread.length;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** @param {number} count at most the number of unread bytes */
  take(count) {
    const bytes = this.unread.subarray(0, count);
    this.#start += count;
    return bytes;
  }
}

class RawPeer {
  #received = new ReceiveBuffer();
  #waiting = new Set();
  ended = false;
  closed = false;
  /** @type {any} */
  error = null;

  /**
   * @param {import('node:net').Socket} socket opened with allowHalfOpen, so that this side sends FIN explicitly
   * @param {boolean} isServer true in the role of the server, which does not mask
   */
  constructor(socket, isServer) {
    this.socket = socket;
    this.key = isServer ? undefined : KEY;
    socket.on('data', (chunk) => {
      this.#received.append(chunk);
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (err) => (this.error = err));
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  #wake() {
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Waits until `take` returns something other than undefined.
   *
   * @template T
   * @param {() => T | undefined} take
   * @param {string} goal for the error if the connection ends first
   * @returns {Promise<T>}
   */
  #until(take, goal) {
    return new Promise((resolve, reject) => {
      const attempt = () => {
        const value = take();
        if (value === undefined && !this.closed && !this.ended) return;
        this.#waiting.delete(attempt);
        if (value !== undefined) resolve(value);
        else reject(new Error(`raw peer: the connection ended while waiting for ${goal}`));
      };
      this.#waiting.add(attempt);
      attempt();
    });
  }

  /** @returns {Promise<string>} the head of a request or response, with its empty line */
  head() {
    return this.#until(() => {
      const end = this.#received.unread.indexOf('\r\n\r\n');
      return end === -1 ? undefined : this.#received.take(end + 4).toString('latin1');
    }, 'a head');
  }

  /** @returns {Promise<NonNullable<ReturnType<typeof decode>>>} the next frame */
  frame() {
    return this.#until(() => {
      const decoded = decode(this.#received.unread);
      if (!decoded) return undefined;
      this.#received.take(decoded.size);
      return decoded;
    }, 'a frame');
  }

  /**
   * Reads frames up to and including the first one with this opcode.
   *
   * @param {number} opcode
   */
  async framesThrough(opcode) {
    const all = [];
    do all.push(await this.frame());
    while (all[all.length - 1].opcode !== opcode);
    return all;
  }

  /**
   * @param {number} count
   * @returns {Promise<Buffer>} exactly `count` bytes
   */
  bytes(count) {
    return this.#until(() => {
      return this.#received.unread.length < count ? undefined : this.#received.take(count);
    }, `${count} bytes`);
  }

  /** @returns {Promise<Buffer>} all bytes before the peer's FIN or the loss of the connection */
  rest() {
    return this.#until(() => {
      if (!this.ended && !this.closed) return undefined;
      return this.#received.take(this.#received.unread.length);
    }, 'the end');
  }

  /** Resolves when the socket has closed in both directions or is lost. */
  async gone() {
    if (!this.closed) await new Promise((resolve) => this.socket.once('close', resolve));
  }

  /** @param {string | Uint8Array} bytes */
  write(bytes) {
    this.socket.write(bytes);
  }

  /**
   * Sends one frame, masked in the role of the client.
   *
   * @param {number} opcode
   * @param {string | Uint8Array} [data]
   * @param {object} [options] see frames.js
   */
  send(opcode, data, options) {
    this.write(this.make(opcode, data, options));
  }

  /** The bytes that send() would write. */
  make(opcode, data, options) {
    return frame(opcode, data, { key: this.key, ...options });
  }

  /** @param {number} [code] sends an empty close frame if omitted */
  close(code, reason) {
    this.send(OPCODE.close, code === undefined ? '' : closeBody(code, reason));
  }

  /** Sends FIN after the queued bytes. */
  finish() {
    this.socket.end();
  }

  /** Drops the connection with RST. */
  reset() {
    this.socket.resetAndDestroy();
  }

  /**
   * In the role of the server: answers a request head with 101.
   *
   * @param {string} head
   * @param {{ headers?: Record<string, string | string[] | null>, after?: Uint8Array }} [change] headers that
   *   replace or remove those of a valid response; bytes sent in the same segment
   */
  accept(head, { headers = {}, after = Buffer.alloc(0) } = {}) {
    const key = /^Sec-WebSocket-Key: (.*)$/im.exec(head)?.[1] ?? '';
    const all = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': acceptKey(key),
      ...headers
    };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      value === null ? [] : [value].flat().map((one) => `${name}: ${one}`)
    );
    const text = ['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n');
    this.write(Buffer.concat([Buffer.from(text, 'latin1'), after]));
  }
}

module.exports = { RawPeer, CLIENT_KEY, acceptKey, upgradeRequest };
