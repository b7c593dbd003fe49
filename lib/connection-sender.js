'use strict';

/*
 * `ws._sender`: the Sender of a connection. It keeps the order like any Sender, but what is to be sent goes to
 * the connection's transport, which frames it. WebSocket.send() goes past it as long as nothing waits here.
 */

const Sender = require('./sender');
const events = require('./connection-events');
const { Opcode, createJob } = require('./send-job');
const { SendFlag } = require('./native');
const { kWebSocket } = require('./constants');
const { toBuffer } = require('./buffer-util');

class ConnectionSender extends Sender {
  /** @param {any} websocket with a transport */
  constructor(websocket) {
    super(websocket._transport.socket, websocket._extensions, websocket._generateMask);
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
    this.submit(job);
  }

  /** @param {import('./send-job').Job} job */
  transmit({ callback, data, fin, mask, opcode }) {
    const transport = this[kWebSocket]._transport;
    let flags = 0;
    if (opcode === Opcode.BINARY) flags |= SendFlag.BINARY;
    if (fin) flags |= SendFlag.FIN;
    if (mask) flags |= SendFlag.MASK;
    const key = mask ? this.maskingKey() : undefined;

    if (opcode === Opcode.PING) {
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
    const pieces = list.map(toBuffer);
    this[kWebSocket]._transport.write(pieces, callback);
  }
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

module.exports = ConnectionSender;
