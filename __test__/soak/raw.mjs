// Misbehaving clients without a WebSocket library: a byte at a time, control frames between fragments, invalid frames, unread
// pongs, incomplete handshakes. Used by client.mjs.

import { connect } from 'node:net';
import { makeBody } from './bodies.mjs';
import { Outbound } from './checker.mjs';
import { pack, unpack } from './envelope.mjs';
import { FrameReader, clientFrame } from './frames.mjs';
import { Random } from './random.mjs';
import { reset } from './reset.mjs';

/** Maximum number of unacknowledged messages. */
const WINDOW = 8;
/** Pings per write of a flood. */
const FLOOD = 500;
const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** Invalid frames: a reserved bit, a reserved opcode, no mask, a fragmented ping, an invalid length. */
const GARBAGE = [
  [0xc1, 0x80, 0, 0, 0, 0],
  [0x83, 0x80, 0, 0, 0, 0],
  [0x81, 0x01, 0x61],
  [0x09, 0x80, 0, 0, 0, 0],
  [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]
];

export class RawEnd {
  /**
   * @param {string} url of the server, with the session
   * @param {any} plan
   * @param {(record: object) => void} done called once, when the socket is closed
   */
  constructor(url, plan, done) {
    const { hostname, port, pathname, search } = new URL(url);
    this.plan = plan;
    this.done = done;
    this.random = new Random(plan.seed, plan.id, 1);
    this.total = plan.up;
    this.outbound = new Outbound();
    this.reader = new FrameReader();
    /** @type {string[]} */
    this.problems = [];
    this.pings = 0;
    this.pongs = 0;
    this.code = 1006;
    this.progress = performance.now();
    this.socket = connect(Number(port), hostname);
    this.socket.setNoDelay(true).on('error', () => {});
    this.socket.on('data', (chunk) => this.read(chunk)).on('close', () => this.closed());
    const head = [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: c29ha2Ugc29hayBzb2FrIQ==',
      '\r\n'
    ].join('\r\n');
    if (plan.profile === 'halfway') this.halfway(head);
    else this.socket.write(head);
  }

  /** @param {string} head */
  halfway(head) {
    this.socket.write(head.slice(0, this.random.whole(1, head.length - 1)), () => {
      reset(this.socket);
    });
  }

  finish() {
    this.total = this.outbound.sent;
    this.pump();
  }

  /** @param {Buffer} chunk */
  read(chunk) {
    this.progress = performance.now();
    for (const { opcode, payload } of this.reader.read(chunk)) this.receive(opcode, payload);
    // Bytes after the response of the handshake.
    if (this.reader.walker.where !== 'handshake') this.pump();
  }

  /** @param {number} opcode @param {Buffer} payload */
  receive(opcode, payload) {
    if (opcode === OPCODES.close) {
      this.code = payload.length > 1 ? payload.readUInt16BE(0) : 1005;
      this.socket.end();
    } else if (opcode === OPCODES.pong) {
      if (`${payload}` !== `${this.pongs++}`)
        this.problem(`pong: ${payload}, not ${this.pongs - 1}`);
    } else {
      const message = unpack(payload);
      if (!message) this.problem('checksum');
      else if (message.words[0] === 'a') {
        const [, , count, digest] = message.words;
        const problem = this.outbound.acknowledge(Number(count), Number(digest));
        if (problem) this.problem(`acknowledged: ${problem}`);
      }
    }
  }

  /** @param {string} text */
  problem(text) {
    this.problems.push(text);
    this.socket.destroy();
  }

  pump() {
    const { outbound } = this;
    if (this.isEnding) return;
    while (outbound.sent < this.total && outbound.outstanding.length < WINDOW) this.sendNext();
    if (outbound.acked === outbound.sent && outbound.sent >= this.total) this.end();
  }

  /** A message in fragments, with pings in between, in several writes. */
  sendNext() {
    const { random, plan } = this;
    const isBinary = !random.chance(plan.text);
    const body = makeBody(random, isBinary, random.size(plan.size[0], plan.size[1]));
    const words = ['u', isBinary ? 'b' : 't', plan.id, this.outbound.sent];
    const { data, sum } = pack(words, body);
    this.outbound.add(sum, body.length);
    let opcode = isBinary ? OPCODES.binary : OPCODES.text;
    for (let start = 0, left = random.whole(0, 4); left >= 0; left--) {
      const end = left === 0 ? data.length : random.whole(start, data.length);
      this.write(clientFrame(opcode, data.subarray(start, end), left === 0));
      if (random.chance(0.3)) this.write(clientFrame(OPCODES.ping, Buffer.from(`${this.pings++}`)));
      opcode = OPCODES.continuation;
      start = end;
    }
  }

  /** The first bytes one by one. @param {Buffer} frame */
  write(frame) {
    const single = this.random.whole(0, 8);
    for (let at = 0; at < single; at++) this.socket.write(frame.subarray(at, at + 1));
    this.socket.write(frame.subarray(single));
  }

  end() {
    this.isEnding = true;
    const { profile, ending } = this.plan;
    if (profile === 'flood') this.flood();
    else if (profile === 'garbage') this.socket.write(Buffer.from(this.random.pick(GARBAGE)));
    else if (ending.how === 'terminate') reset(this.socket);
    else {
      const body = Buffer.from(`  ${ending.reason}`);
      body.writeUInt16BE(ending.code);
      this.socket.write(clientFrame(OPCODES.close, body));
    }
  }

  /** Pings without reading, until the server ends the connection. */
  flood() {
    this.socket.pause();
    const ping = clientFrame(OPCODES.ping, Buffer.alloc(125, 'p'));
    const pings = Buffer.concat(Array.from({ length: FLOOD }, () => ping));
    const more = () => {
      if (this.socket.destroyed) return;
      this.pings += FLOOD;
      this.progress = performance.now();
      this.socket.write(pings, (error) => {
        if (error) this.socket.destroy();
        else more();
      });
    };
    more();
  }

  terminate() {
    this.socket.destroy();
  }

  closed() {
    const { outbound, problems, code } = this;
    const none = { errors: [], buffered: 0, callbacks: 0, forgotten: 0, recorded: 0, reason: '' };
    const broadcasts = { broadcastsSent: 0, broadcastsAcked: 0, broadcastsRecorded: 0 };
    this.done({
      ...none,
      ...broadcasts,
      id: this.plan.id,
      code,
      problems,
      pings: this.pings,
      pongs: this.pongs,
      sent: outbound.sent,
      acked: outbound.acked,
      bytes: outbound.bytes,
      lost: 0,
      duplicated: 0,
      misordered: 0
    });
  }
}
