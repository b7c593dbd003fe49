// A session through createWebSocketStream on both ends: the client pipes messages into it, the server pipes the stream into
// itself. Echoed messages count as acknowledged. Used by server.mjs and client.mjs.

import { Readable } from 'node:stream';
import { makeBody } from './bodies.mjs';
import { Inbound, Outbound } from './checker.mjs';
import { pack, unpack } from './envelope.mjs';
import { Random } from './random.mjs';

/** Common to both ends: records the end of the connection, and reports it when the stream has closed as well. */
class PipeEnd {
  isServer = false;
  isOver = false;
  isDone = false;
  /** The close code. @type {number | undefined} */
  code = undefined;

  /**
   * @param {import('ferrows').WebSocket} ws
   * @param {any} plan of the session
   * @param {(record: object) => void} done called once
   * @param {(ws: any, options: object) => import('node:stream').Duplex} createWebSocketStream
   */
  constructor(ws, plan, done, createWebSocketStream) {
    this.ws = ws;
    this.plan = plan;
    this.outbound = new Outbound();
    this.inbound = new Inbound(plan.id);
    /** @type {string[]} */
    this.errors = [];
    /** @type {string[]} */
    this.problems = [];
    this.progress = performance.now();
    // In object mode one message stays one chunk, however long it is queued.
    this.duplex = createWebSocketStream(ws, { readableObjectMode: true });
    this.duplex.on('error', (error) => {
      this.errors.push(error.message);
      this.over();
    });
    this.duplex.on('end', () => this.over()).on('close', () => this.over());
    ws.on('close', (code, reason) => {
      if (this.code !== undefined) this.problems.push('close came twice');
      this.code = code;
      this.reason = `${reason}`;
      this.buffered = ws.bufferedAmount;
      this.settle();
    });
    this.done = done;
  }

  /** The stream will emit no more data. */
  over() {
    this.isOver = true;
    this.settle();
  }

  /** A stream whose connection broke emits no `close`, only an end or an error. */
  settle() {
    if (!this.isOver || this.code === undefined || this.isDone) return;
    this.isDone = true;
    this.duplex.destroy();
    this.done(this.record());
  }

  /** @param {string} text */
  problem(text) {
    this.problems.push(text);
    this.ws.terminate();
  }

  record() {
    const { inbound, outbound, errors, problems, code, reason, buffered } = this;
    const none = {
      callbacks: 0,
      forgotten: 0,
      pings: 0,
      pongs: 0,
      broadcastsSent: 0,
      broadcastsAcked: 0,
      broadcastsRecorded: 0
    };
    return {
      ...none,
      id: this.plan.id,
      code,
      reason,
      buffered,
      errors,
      problems,
      sent: outbound.sent,
      acked: outbound.acked,
      bytes: outbound.bytes,
      recorded: this.isServer ? inbound.count : 0,
      lost: inbound.missing.size,
      duplicated: inbound.duplicated,
      misordered: inbound.misordered
    };
  }

  /** @param {Buffer} data */
  accept(data) {
    this.progress = performance.now();
    const message = unpack(data);
    const problem = message ? this.inbound.accept(message, true) : 'checksum';
    if (problem) this.problem(problem);
  }
}

export class PipeServer extends PipeEnd {
  isServer = true;

  /** @param {ConstructorParameters<typeof PipeEnd>} values as above */
  constructor(...values) {
    super(...values);
    this.ws.on('message', (data) => this.accept(/** @type {Buffer} */ (data)));
    this.duplex.pipe(this.duplex);
  }

  pump() {}

  finish() {}
}

export class PipeClient extends PipeEnd {
  /** @param {ConstructorParameters<typeof PipeEnd>} values as above */
  constructor(...values) {
    super(...values);
    this.total = this.plan.up;
    /** @type {() => void} */
    this.isComplete = () => {};
    this.complete = new Promise((resolve) => {
      this.isComplete = () => resolve(undefined);
    });
    this.duplex.on('data', (data) => this.receive(data));
    const source = Readable.from(this.messages());
    this.ws.on('close', () => {
      this.isComplete();
      source.destroy();
    });
    source.pipe(this.duplex);
  }

  pump() {}

  finish() {
    this.total = this.outbound.sent;
    this.look();
  }

  /** The source: all messages, and the end after their echo. */
  async *messages() {
    const random = new Random(this.plan.seed, this.plan.id, 1);
    while (this.outbound.sent < this.total) {
      const body = makeBody(random, true, random.size(this.plan.size[0], this.plan.size[1]));
      const { data, sum } = pack(['u', 'b', this.plan.id, this.outbound.sent], body);
      this.outbound.add(sum, body.length);
      yield data;
    }
    this.look();
    await this.complete;
  }

  /** @param {Buffer} data */
  receive(data) {
    this.accept(data);
    if (this.problems.length > 0) return;
    const problem = this.outbound.acknowledge(this.inbound.count, this.inbound.digest);
    if (problem) this.problem(`acknowledged: ${problem}`);
    this.look();
  }

  look() {
    if (this.outbound.sent >= this.total && this.outbound.acked === this.outbound.sent) {
      this.isComplete();
    }
  }
}
