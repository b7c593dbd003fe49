// One end of a session, on the server or in a client: it sends the planned messages, acknowledges received ones, and ends the
// connection or waits for its end. Both ends differ only in the letter of their stream. Used by server.mjs and client.mjs;
// checker.mjs counts.
//
// Words of a message: `u` (up), `d` (down) or `n` (broadcast to many clients), then `t` or `b`, session, number. `a STREAM
// COUNT DIGEST` acknowledges all messages up to COUNT; `e COUNT` is the number of messages in the peer's direction.

import { makeBody } from './bodies.mjs';
import { Callbacks, Inbound, Outbound } from './checker.mjs';
import { checksum, pack, unpack } from './envelope.mjs';
import { BUFFERED_LIMIT } from './plan.mjs';
import { Random } from './random.mjs';

/** Maximum number of pings in flight: ws ends a connection with 60 pending automatic pongs. */
const MOST_PINGS = 40;
/** Milliseconds after `close` within which callbacks must run; later ones count as missing. */
const LAST_CALLBACKS = 5000;
/** After a reset Node's streams sometimes lose callbacks of ws, so these are not counted against ws. */
const isOracle = process.env.FERROWS_SUBJECT === 'ws';
const OPEN = 1;

export class End {
  /**
   * @param {import('ferrows').WebSocket} ws
   * @param {ReturnType<typeof import('./plan.mjs').planSession>} plan
   * @param {'client' | 'server'} side
   * @param {(record: object) => void} done called once, when the session is closed and every callback has run
   * @param {(text: string) => void} violation called for later errors
   */
  constructor(ws, plan, side, done, violation) {
    this.ws = ws;
    this.plan = plan;
    this.side = side;
    this.done = done;
    this.violation = violation;
    this.random = new Random(plan.seed, plan.id, side === 'client' ? 1 : 2);
    this.letter = side === 'client' ? 'u' : 'd';
    this.total = side === 'client' ? plan.up : plan.down;
    /** True if it only echoes. */
    this.isEcho = plan.echo && side === 'server';
    this.outbound = new Outbound();
    this.inbound = new Inbound(plan.id);
    this.broadcastOut = new Outbound();
    this.broadcastIn = new Inbound(0, { isFloating: true });
    this.callbacks = new Callbacks();
    /** Checksums of the bodies whose echo an undisturbed connection expects. @type {number[]} */
    this.echoes = [];
    this.pings = 0;
    this.pongs = 0;
    this.closes = 0;
    /** @type {string[]} */
    this.errors = [];
    /** @type {string[]} */
    this.problems = [];
    /** Calls delayed until the last fragment of a message. @type {(() => void)[] | null} */
    this.held = null;
    this.isPaced = false;
    this.isCutShort = false;
    this.isEnding = false;
    this.hasSaidEnd = false;
    this.progress = performance.now();
    ws.on('message', (data, isBinary) => this.receive(/** @type {Buffer} */ (data), isBinary));
    ws.on('pong', (data) => this.receivePong(data));
    ws.on('error', (error) => this.errors.push(error.message));
    ws.on('close', (code, reason) => this.closed(code, `${reason}`));
  }

  get isOpen() {
    return this.ws.readyState === OPEN && !this.isEnding;
  }

  /** Ends the session early, after completing messages that were begun. */
  finish() {
    this.total = this.outbound.sent;
    this.plan.ending.at = Infinity;
    this.pump();
  }

  /** Sends as much as is allowed in flight. Called whenever that may have changed. */
  pump() {
    while (this.maySend()) this.sendNext();
    if (!this.isOpen || this.held) return;
    if (this.hasSentAll() && !this.hasSaidEnd) {
      this.hasSaidEnd = true;
      this.transmit(pack(['e', this.outbound.sent]).data);
    }
    if (this.plan.ending.by === this.side && this.isComplete()) this.end();
  }

  maySend() {
    const { sent, outstanding } = this.outbound;
    if (!this.isOpen || this.held || this.isPaced || this.isEcho) return false;
    if (sent >= this.total || outstanding.length >= this.plan.window) return false;
    // Reading bufferedAmount makes ferrows write at once: under load it is not read.
    return this.plan.profile === 'rush' || this.ws.bufferedAmount <= BUFFERED_LIMIT;
  }

  hasSentAll() {
    return this.isEcho ? this.inbound.count === this.expected : this.outbound.sent >= this.total;
  }

  isComplete() {
    const { acked, sent } = this.outbound;
    return this.hasSaidEnd && acked === sent && this.inbound.count === this.expected;
  }

  sendNext() {
    const { random, plan } = this;
    const isBinary = !random.chance(plan.text);
    const body = makeBody(random, isBinary, random.size(plan.size[0], plan.size[1]));
    if (plan.echo) this.echoes.push(checksum(body));
    this.sendBody(body, isBinary);
    if (random.chance(plan.pings)) this.ping(random.whole(1, 30));
    if (plan.pace > 0) {
      this.isPaced = true;
      setTimeout(() => {
        this.isPaced = false;
        this.pump();
      }, plan.pace);
    }
    if (plan.ending.by === this.side && this.outbound.sent === plan.ending.at) this.end();
  }

  /** @param {Buffer} body @param {boolean} isBinary */
  sendBody(body, isBinary) {
    const kind = isBinary ? 'b' : 't';
    const { data, sum } = pack([this.letter, kind, this.plan.id, this.outbound.sent], body);
    this.outbound.add(sum, body.length);
    const parts = this.random.whole(1, this.plan.fragments);
    if (parts > 1) this.sendParts(data, isBinary, parts);
    // A text as a string and as a Buffer.
    else if (isBinary || this.random.chance(0.5)) this.transmit(data, { binary: isBinary });
    else this.transmit(data.toString());
  }

  /** @param {Buffer} data @param {boolean} binary @param {number} parts */
  sendParts(data, binary, parts) {
    const isSlow = this.random.chance(0.3);
    let start = 0;
    const sendPart = (/** @type {number} */ left) => {
      const end = left === 0 ? data.length : this.random.whole(start, data.length);
      this.transmit(data.subarray(start, end), { binary, fin: left === 0 }, true);
      start = end;
    };
    if (!isSlow) {
      for (let left = parts - 1; left >= 0; left--) sendPart(left);
      return;
    }
    // In iterations of the event loop; no other message may be sent between the fragments.
    let left = parts;
    this.held = [];
    const turn = () => {
      sendPart(--left);
      if (left > 0) {
        setImmediate(turn);
        return;
      }
      const held = this.held ?? [];
      this.held = null;
      for (const send of held) send();
      this.pump();
    };
    turn();
  }

  /**
   * @param {Buffer | string} data
   * @param {{ binary?: boolean, fin?: boolean }} [options]
   * @param {boolean} [isPart] of a fragmented message, which delays others
   */
  transmit(data, options = { binary: false }, isPart = false) {
    if (this.held && !isPart) {
      this.held.push(() => this.transmit(data, options));
      return;
    }
    if (this.ws.readyState !== OPEN) {
      // The peer has closed before the last fragment was sent.
      this.isCutShort ||= isPart;
      return;
    }
    const number = this.callbacks.make();
    this.ws.send(data, options, (error) => this.calledBack(number, error));
  }

  /** @param {number} number @param {Error} [error] */
  calledBack(number, error) {
    const problem = this.callbacks.call(number, Boolean(error));
    // After a reset, ws occasionally calls a callback twice, or never.
    if (problem && !isOracle) this.problem(problem);
    this.pump();
    this.settle();
  }

  /** @param {number} count */
  ping(count) {
    for (; count > 0 && this.pings - this.pongs < MOST_PINGS && this.isOpen; count--) {
      const number = this.callbacks.make();
      this.ws.ping(`ping ${this.pings++}`, undefined, (error) => this.calledBack(number, error));
    }
  }

  /** @param {Buffer} data */
  receivePong(data) {
    if (`${data}` !== `ping ${this.pongs}`) this.problem(`pong: ${data}, not ${this.pongs}`);
    this.pongs++;
  }

  /** A message for many clients. @param {{ data: Buffer, sum: number }} message @param {boolean} binary */
  sendNews({ data, sum }, binary) {
    const send = () => {
      if (!this.isOpen) return;
      this.broadcastOut.add(sum, data.length);
      this.transmit(data, { binary });
    };
    if (this.held) this.held.push(send);
    else send();
  }

  /** @param {Buffer} data @param {boolean} isBinary */
  receive(data, isBinary) {
    this.progress = performance.now();
    const message = unpack(data);
    if (!message) {
      this.problem('checksum');
      return;
    }
    const [kind] = message.words;
    if (kind === 'a') this.receiveAck(message.words);
    else if (kind === 'e') this.expected = Number(message.words[1]);
    else this.receiveBody(kind, message, isBinary);
    if (this.problems.length === 0) this.pump();
  }

  /** @param {string[]} words */
  receiveAck([, stream, count, digest]) {
    const outbound = stream === 'n' ? this.broadcastOut : this.outbound;
    const problem = outbound.acknowledge(Number(count), Number(digest));
    if (problem) this.problem(`acknowledged: ${problem}`);
  }

  /** @param {string} kind @param {{ words: string[], body: Buffer, sum: number }} message @param {boolean} isBinary */
  receiveBody(kind, message, isBinary) {
    if (kind === this.letter || !'udn'.includes(kind)) {
      this.problem(`of a stream ${kind}`);
      return;
    }
    const inbound = kind === 'n' ? this.broadcastIn : this.inbound;
    const problem = inbound.accept(message, isBinary);
    if (problem) {
      this.problem(problem);
      return;
    }
    if (this.plan.echo) this.echo(message.body, isBinary);
    if (this.plan.pauses && inbound.count % this.plan.pauses.every === 0) this.pause();
    this.ackSoon();
  }

  /** @param {Buffer} body @param {boolean} isBinary */
  echo(body, isBinary) {
    if (this.isEcho) this.sendBody(body, isBinary);
    else if (this.echoes.shift() !== checksum(body)) this.problem('another echo');
  }

  pause() {
    this.ws.pause();
    setTimeout(() => this.ws.resume(), this.random.whole(1, this.plan.pauses.most));
  }

  /** One acknowledgment for all messages of an iteration of the event loop. */
  ackSoon() {
    if (this.ackTimer) return;
    this.ackTimer = setImmediate(() => this.ack());
  }

  ack() {
    clearImmediate(this.ackTimer);
    this.ackTimer = undefined;
    for (const inbound of [this.inbound, this.broadcastIn]) {
      if (inbound.count === inbound.told || inbound.count === 0) continue;
      inbound.told = inbound.count;
      const stream = inbound === this.broadcastIn ? 'n' : 'x';
      this.transmit(pack(['a', stream, inbound.count, inbound.digest]).data);
    }
  }

  /** Ends the connection as planned. */
  end() {
    if (this.held) {
      this.held.push(() => this.end());
      return;
    }
    const { how, code, reason } = this.plan.ending;
    if (how === 'close') {
      this.ack();
      this.isEnding = true;
      this.ws.close(code, reason);
    } else {
      this.isEnding = true;
      this.ws.terminate();
    }
  }

  /** Reports an error: later events are ignored. @param {string} text */
  problem(text) {
    if (this.isDone) this.violation(text);
    this.problems.push(text);
    this.ws.terminate();
  }

  /** @param {number} code @param {string} reason */
  closed(code, reason) {
    this.closes++;
    if (this.closes > 1) this.problem('close came twice');
    this.isEnding = true;
    this.code = code;
    this.reason = reason;
    this.buffered = this.ws.bufferedAmount;
    this.lastCall = setTimeout(() => this.settle(true), LAST_CALLBACKS);
    this.settle();
  }

  /** @param {boolean} [isLast] true if missing callbacks are no longer awaited */
  settle(isLast = false) {
    const missing = this.callbacks.outstanding;
    if (this.closes === 0 || (missing > 0 && !isLast) || this.isDone) return;
    clearTimeout(this.lastCall);
    if (missing > 0 && !isOracle) this.problems.push(`${missing} callbacks have never come`);
    this.isDone = true;
    const { inbound, outbound, broadcastIn, broadcastOut, code, reason, errors, problems } = this;
    this.done({
      id: this.plan.id,
      code,
      reason,
      errors,
      problems,
      buffered: this.buffered,
      callbacks: this.callbacks.made,
      forgotten: missing,
      pings: this.pings,
      pongs: this.pongs,
      sent: outbound.sent - (this.isCutShort ? 1 : 0),
      acked: outbound.acked,
      bytes: outbound.bytes + broadcastOut.bytes,
      recorded: inbound.count,
      broadcastsSent: broadcastOut.sent,
      broadcastsAcked: broadcastOut.acked,
      broadcastsRecorded: broadcastIn.count,
      lost: inbound.missing.size + broadcastIn.missing.size,
      duplicated: inbound.duplicated + broadcastIn.duplicated,
      misordered: inbound.misordered + broadcastIn.misordered
    });
  }
}
