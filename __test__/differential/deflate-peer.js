'use strict';

// Connections with permessage-deflate between the library under test and a plain socket. Compressors differ in their output, so
// frames are recorded inflated. Used by the scenarios deflate-*.js.

const { Deflater, Inflater } = require('./deflate');
const { OPCODE, frameText } = require('./frames');
const { upgradeRequest } = require('./raw-peer');

const NAME = 'permessage-deflate';

/** RSV1 in the three bits of frames.js. */
const RSV1 = 4;

/**
 * The negotiated settings of one side.
 *
 * @param {string} agreed parameters, as in the header
 * @param {string} side client or server
 */
function settings(agreed, side) {
  const bits = new RegExp(`${side}_max_window_bits=(\\d+)`).exec(agreed)?.[1] ?? 15;
  return {
    takeover: !agreed.includes(`${side}_no_context_takeover`),
    windowBits: Number(bits)
  };
}

/** The end of a connection that is a plain socket and speaks permessage-deflate. */
class DeflatePeer {
  #t;
  #raw;
  #deflater;
  #inflater;
  #compressed = false;

  /**
   * @param {import('./context').Context} t
   * @param {import('./raw-peer').RawPeer} raw
   * @param {string} agreed parameters
   * @param {Buffer} [dictionary] of both directions
   */
  constructor(t, raw, agreed, dictionary) {
    const mine = t.kind === 'server' ? 'client' : 'server';
    this.#t = t;
    this.#raw = raw;
    this.#deflater = new Deflater({ ...settings(agreed, mine), dictionary });
    this.#inflater = new Inflater({ ...settings(agreed, t.kind), dictionary });
  }

  /**
   * A frame with a compressed payload.
   *
   * @param {number} opcode
   * @param {string | Uint8Array} data
   * @param {{ fin?: boolean, zlib?: object }} [options] zlib: of the compression
   */
  make(opcode, data, { fin = true, zlib: options } = {}) {
    const rsv = opcode === OPCODE.continuation ? 0 : RSV1;
    return this.#raw.make(opcode, this.#deflater.part(data, fin, options), { fin, rsv });
  }

  send(opcode, data, options) {
    this.#raw.write(this.make(opcode, data, options));
  }

  /** All frames of a message. @param {number} opcode @param {(string | Uint8Array)[]} parts */
  fragments(opcode, parts) {
    return Buffer.concat(
      parts.map((part, i) =>
        this.make(i ? OPCODE.continuation : opcode, part, { fin: i === parts.length - 1 })
      )
    );
  }

  /**
   * Records frames of the library under test, inflated.
   *
   * @param {...NonNullable<ReturnType<typeof import('./frames').decode>>} frames
   */
  logFrames(...frames) {
    for (const one of frames) {
      const isControl = one.opcode >= OPCODE.close;
      if (!isControl && one.opcode !== OPCODE.continuation) this.#compressed = one.rsv === RSV1;
      if (isControl || !this.#compressed) {
        this.#t.logFrames(one);
        continue;
      }
      let payload;
      try {
        payload = this.#inflater.part(one.payload, one.fin);
      } catch (err) {
        if (!err.code?.startsWith('Z_')) throw err;
        this.#t.log('wire', 'cannot be inflated', err);
        continue;
      }
      // The length of the header depends on the compressed length.
      this.#t.trace.line('wire', `${frameText({ ...one, payload, width: 0 })} inflated`);
    }
  }

  /** Reads, records and returns `count` frames. */
  async next(count = 1) {
    const frames = [];
    while (frames.length < count) frames.push(await this.#raw.frame());
    this.logFrames(...frames);
    return frames;
  }

  /** Reads, records and returns frames through the first one with this opcode. */
  async through(opcode) {
    const frames = await this.#raw.framesThrough(opcode);
    this.logFrames(...frames);
    return frames;
  }
}

/**
 * Opens a connection with permessage-deflate between the library under test, in the role of the scenario's kind, and a plain
 * socket.
 *
 * @param {import('./context').Context} t
 * @param {object} [setting]
 * @param {string} [setting.agreed] negotiated parameters: a client's whole offer, or a server's response
 * @param {boolean | object} [setting.deflate] the perMessageDeflate option of the library under test
 * @param {object} [setting.options] its other options
 * @param {Buffer} [setting.dictionary] of the raw peer
 * @param {(peer: DeflatePeer) => Buffer} [setting.after] bytes in the segment that completes the handshake
 */
async function deflating(t, setting = {}) {
  const { agreed = '', deflate = true, dictionary, after = () => Buffer.alloc(0) } = setting;
  const options = { perMessageDeflate: deflate, ...setting.options };
  const headers = { 'Sec-WebSocket-Extensions': agreed ? `${NAME}; ${agreed}` : NAME };
  if (t.kind === 'server') {
    const wss = await t.listen(options);
    const raw = await t.rawClient(wss);
    const peer = new DeflatePeer(t, raw, agreed, dictionary);
    raw.write(Buffer.concat([Buffer.from(upgradeRequest({ headers })), after(peer)]));
    const { server } = await t.accepted(wss);
    await raw.head();
    return { peer, raw, ws: server, lane: 'server' };
  }
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, undefined, options);
  const raw = await listening.next();
  const peer = new DeflatePeer(t, raw, agreed, dictionary);
  const opened = t.opened(ws);
  raw.accept(await raw.head(), { headers, after: after(peer) });
  await opened;
  return { peer, raw, ws, lane: 'client' };
}

/** The negotiated parameters, as the API shows them. */
const agreement = (ws) => [ws.extensions, ws._extensions[NAME]?.params];

/**
 * An instance of PerMessageDeflate of the library under test that has accepted parameters.
 *
 * @param {import('./context').Context} t
 * @param {string} [agreed] parameters
 * @param {object} [options] of the constructor
 */
function accepted(t, agreed = '', options = {}) {
  const { PerMessageDeflate, extension } = t.lib;
  const one = new PerMessageDeflate(options);
  one.accept(extension.parse(agreed ? `d; ${agreed}` : 'd').d);
  return one;
}

module.exports = { NAME, RSV1, DeflatePeer, accepted, agreement, deflating };
