'use strict';

/*
 * `ws._sender`: the Sender of a connection. It keeps the order like any Sender, but what is to be sent goes to
 * the connection's transport, which frames it. WebSocket.send() goes past it as long as nothing waits here.
 */

const Sender = require('./sender');
const events = require('./connection-events');
const { endsMessage } = require('./frame');
const { Opcode, createJob } = require('./send-job');
const { SendFlag } = require('./native');
const { kTransport, kWebSocket } = require('./constants');
const { toBuffer } = require('./buffer-util');

/** @typedef {import('./send-job').Job} Job */

/**
 * Bytes from which a message is compressed on another thread. Measured: to go there and back costs 50 us, where compressing
 * 64 KiB takes 550, four fifths of which leave this thread; and what refers to nothing before it is no larger from here on.
 */
const DEFLATED_ELSEWHERE = 64 * 1024;

class ConnectionSender extends Sender {
  /** @param {any} websocket with a transport */
  constructor(websocket) {
    const { generateMask, socket } = websocket[kTransport];
    super(socket, websocket._extensions, generateMask);
    this[kWebSocket] = websocket;
    this.onerror = (/** @type {Error} */ error) => events.onSendError(websocket, error);
  }

  /**
   * As in Sender, but whether a frame continues a message is the connection's knowledge.
   *
   * @param {any} data
   * @param {{ binary?: boolean, compress?: boolean, fin?: boolean, mask?: boolean }} options
   * @param {import('./send-job').Callback} [callback]
   */
  send(data, options, callback) {
    const opcode = options.binary ? Opcode.BINARY : Opcode.TEXT;
    const job = createJob(data, opcode, options.mask, callback);
    job.fin = !!options.fin;
    job.compress = !!options.compress && this[kWebSocket][kTransport].isCompressing;
    this.submit(job);
  }

  /**
   * Large messages are compressed on another thread, others when they are sent.
   *
   * @param {Job} job
   * @returns {boolean}
   */
  deflate(job) {
    if (job.byteLength < DEFLATED_ELSEWHERE) return false;
    const { connection } = this[kWebSocket][kTransport];
    return connection.deflate(job.data, flagsOf(job), () => this.deflated(job, null));
  }

  /**
   * It has waited long enough: it leaves at once.
   *
   * @param {Job} job
   * @param {Buffer | null} compressed
   */
  deflated(job, compressed) {
    super.deflated(job, compressed);
    this[kWebSocket][kTransport].flush();
  }

  /**
   * What has left before does not fail.
   *
   * @param {Job} job
   * @param {Error} error
   * @param {boolean} isFatal
   */
  fail(job, error, isFatal) {
    this[kWebSocket][kTransport].settleWritten();
    super.fail(job, error, isFatal);
  }

  /** @param {Job} job */
  transmit(job) {
    const transport = this[kWebSocket][kTransport];
    const { callback, data, mask, opcode } = job;
    const flags = flagsOf(job);
    const key = mask ? this.maskingKey() : undefined;

    if (data === null) {
      transport.sendDeflated(flags, key, callback);
    } else if (opcode === Opcode.PING) {
      transport.ping(data, flags, key, callback);
    } else if (opcode === Opcode.PONG) {
      transport.pong(data, flags, key, callback);
    } else if (opcode !== Opcode.CLOSE) {
      transport.send(data, flags, key, callback);
    } else {
      const code = data.length === 0 ? 0 : data.readUInt16BE(0);
      transport.close(code, data.subarray(2), flags, key, callback);
    }
  }

  /** @returns {Buffer | undefined} undefined: the addon draws one */
  maskingKey() {
    if (!this._generateMask) return undefined;
    const key = /** @type {Buffer} */ (this._maskBuffer);
    this._generateMask(key);
    return key;
  }

  /**
   * @param {(Buffer | string)[]} list pieces of a frame made by Sender.frame(); not altered
   * @param {((error?: Error | null) => void) | undefined} [callback]
   */
  sendFrame(list, callback) {
    const transport = this[kWebSocket][kTransport];
    const pieces = list.map(toBuffer);
    const [header] = pieces;
    if (header !== undefined && endsMessage(header)) transport.messagesSent++;
    transport.write(pieces, callback);
  }
}

/**
 * @param {Job} job
 * @returns {number} flags of the command that sends it
 */
function flagsOf({ compress, fin, mask, opcode }) {
  let flags = 0;
  if (opcode === Opcode.BINARY) flags |= SendFlag.BINARY;
  if (compress) flags |= SendFlag.COMPRESS;
  if (fin) flags |= SendFlag.FIN;
  if (mask) flags |= SendFlag.MASK;
  return flags;
}

Object.defineProperty(ConnectionSender.prototype, '_socket', {
  configurable: true,
  /** @this {any} */
  get() {
    return this[kWebSocket]._socket;
  },
  /** The socket is the transport's. */
  set() {}
});

module.exports = { ConnectionSender, DEFLATED_ELSEWHERE };
