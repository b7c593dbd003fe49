// Frames on the wire, independent of any WebSocket library: their boundaries in a stream of bytes, and frames of a client. Used
// by the proxy, which breaks them, and by raw.mjs.

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const NO_KEY = Buffer.alloc(4);
const EMPTY = Buffer.alloc(0);

/** @typedef {{ where: 'handshake' | 'header' | 'payload', frame: number, from: number, length: number, start: number, end: number }} Span */

/** Iterates over one direction of a connection, chunk by chunk, from the first byte of the opening handshake. */
export class FrameWalker {
  /** @type {Span['where']} */
  where = 'handshake';
  /** The number of the current frame. */
  frame = 0;
  /** Bytes of the current part so far. */
  seen = 0;
  /** Length of the current part, as far as it is known. */
  length = Infinity;
  matched = 0;
  /** @type {number[]} */
  header = [];

  /**
   * The parts of a chunk: `from` is an offset in the part, `start` and `end` are offsets in the chunk.
   *
   * @param {Buffer} chunk
   * @returns {Generator<Span>}
   */
  *spans(chunk) {
    for (let start = 0; start < chunk.length;) {
      const { where, frame, length, seen: from } = this;
      const end = this.walk(chunk, start);
      this.seen += end - start;
      yield { where, frame, from, length, start, end };
      start = end;
      if (this.seen === this.length) this.next();
    }
  }

  /** @param {Buffer} chunk @param {number} at @returns {number} the end of the part or of the chunk */
  walk(chunk, at) {
    if (this.where === 'payload') return Math.min(chunk.length, at + this.length - this.seen);
    const start = at;
    for (; at < chunk.length; at++) {
      const isLast =
        this.where === 'handshake' ? this.isEndOfHead(chunk[at]) : this.isEndOfHeader(chunk[at]);
      if (!isLast) continue;
      this.length = this.seen + at + 1 - start;
      return at + 1;
    }
    return at;
  }

  /** @param {number} byte */
  isEndOfHead(byte) {
    if (byte === END_OF_HEAD[this.matched]) this.matched++;
    else this.matched = byte === END_OF_HEAD[0] ? 1 : 0;
    return this.matched === END_OF_HEAD.length;
  }

  /** @param {number} byte */
  isEndOfHeader(byte) {
    const { header } = this;
    header.push(byte);
    if (header.length < 2) return false;
    const small = header[1] & 0x7f;
    const extended = small < 126 ? 0 : small === 126 ? 2 : 8;
    return header.length === 2 + extended + (header[1] & 0x80 ? 4 : 0);
  }

  /** The part is over. */
  next() {
    const payload = this.where === 'header' ? this.payloadLength() : 0;
    if (this.where === 'payload' || (this.where === 'header' && payload === 0)) this.frame++;
    this.where = payload > 0 ? 'payload' : 'header';
    this.length = payload > 0 ? payload : Infinity;
    this.seen = 0;
    this.header = [];
  }

  payloadLength() {
    const small = this.header[1] & 0x7f;
    if (small < 126) return small;
    const bytes = this.header.slice(2, small === 126 ? 4 : 10);
    return bytes.reduce((value, byte) => value * 256 + byte, 0);
  }
}

/**
 * The offset of a target in a chunk.
 *
 * @param {FrameWalker} walker at the beginning of the chunk; moved to its end
 * @param {Buffer} chunk
 * @param {import('./plan.mjs').Target} target in its frame, or in the next one that has such a byte
 * @returns {number} -1 if it is not in the chunk
 */
export function find(walker, chunk, target) {
  let found = -1;
  for (const { where, frame, from, length, start, end } of walker.spans(chunk)) {
    if (found >= 0 || where !== target.where) continue;
    if (where !== 'handshake' && frame < target.frame) continue;
    const at = where === 'payload' ? Math.min(target.skip, length - 1) : target.skip;
    if (at >= from && at < from + end - start) found = start + at - from;
  }
  return found;
}

/**
 * A frame of a client, masked with zeros.
 *
 * @param {number} opcode
 * @param {Buffer} payload
 * @param {boolean} [fin]
 */
export function clientFrame(opcode, payload, fin = true) {
  const first = (fin ? 0x80 : 0) | opcode;
  const { length } = payload;
  let header = Buffer.from([first, 0x80 | length]);
  if (length > 65_535) {
    header = Buffer.alloc(10, 0);
    header.writeUInt16BE((first << 8) | 0xff);
    header.writeUIntBE(length, 4, 6);
  } else if (length > 125) {
    header = Buffer.alloc(4);
    header.writeUInt16BE((first << 8) | 0xfe);
    header.writeUInt16BE(length, 2);
  }
  return Buffer.concat([header, NO_KEY, payload]);
}

/** Frames of a server, assembled from chunks. */
export class FrameReader {
  walker = new FrameWalker();
  /** @type {Buffer[]} */
  parts = [];
  opcode = 0;

  /** @param {Buffer} chunk @returns {Generator<{ opcode: number, payload: Buffer }>} */
  *read(chunk) {
    const { walker } = this;
    for (const span of walker.spans(chunk)) {
      if (span.where === 'handshake') continue;
      if (span.where === 'header') {
        if (span.from === 0) this.opcode = chunk[span.start] & 0x0f;
        const isWhole = walker.seen === walker.length;
        if (isWhole && walker.payloadLength() === 0) yield { opcode: this.opcode, payload: EMPTY };
        continue;
      }
      this.parts.push(chunk.subarray(span.start, span.end));
      if (walker.seen < walker.length) continue;
      const payload = Buffer.concat(this.parts);
      this.parts = [];
      yield { opcode: this.opcode, payload };
    }
  }
}
