'use strict';

/*
 * `ws._receiver`: what a connection emits, to be listened to or muted by those who know ws's insides
 * (tracers, tests). websocket.js makes it when somebody asks for it; from then on the connection's events go
 * through it.
 */

const Receiver = require('./receiver');
const events = require('./connection-events');
const native = require('./native');
const { kTransport, kWebSocket } = require('./constants');

const { addListener, on } = Receiver.prototype;

class ConnectionReceiver extends Receiver {
  /** @param {any} websocket with a transport */
  constructor(websocket) {
    const { [kTransport]: transport } = websocket;
    super({
      ...transport.options,
      allowSynchronousEvents: transport.isSynchronous,
      extensions: websocket._extensions
    });
    this[kWebSocket] = websocket;
    this._delivery = transport;

    this.on('conclude', receiverOnConclude);
    this.on('error', receiverOnError);
    this.on('message', receiverOnMessage);
    this.on('ping', receiverOnPing);
    this.on('pong', receiverOnPong);
  }

  /**
   * Takes bytes as if the peer had sent them; over a stream only, on an I/O thread they are dropped.
   *
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {(error?: Error | null) => void} callback
   */
  _write(chunk, _encoding, callback) {
    const delivery = /** @type {NonNullable<typeof this._delivery>} */ (this._delivery);
    delivery.read(native.receive(delivery.id, chunk));
    callback();
  }
}

Object.defineProperty(ConnectionReceiver.prototype, '_binaryType', {
  configurable: true,
  /** @this {any} */
  get() {
    return this[kWebSocket]._binaryType;
  },
  /**
   * @this {any}
   * @param {string} type
   */
  set(type) {
    if (this[kWebSocket]) this[kWebSocket]._binaryType = type;
  }
});

/** Whether a tracer wants to see the listeners of every receiver. */
function isReceiverPatched() {
  return Receiver.prototype.on !== on || Receiver.prototype.addListener !== addListener;
}

/**
 * @this {any}
 * @param {number} code
 * @param {Buffer} reason
 */
function receiverOnConclude(code, reason) {
  events.onConclude(this[kWebSocket], code, reason);
}

/**
 * @this {any}
 * @param {Error} error
 */
function receiverOnError(error) {
  events.onError(this[kWebSocket], error);
}

/**
 * @this {any}
 * @param {any} data
 * @param {boolean} isBinary
 */
function receiverOnMessage(data, isBinary) {
  this[kWebSocket].emit('message', data, isBinary);
}

/**
 * @this {any}
 * @param {Buffer} data
 */
function receiverOnPing(data) {
  events.onPing(this[kWebSocket], data);
}

/**
 * @this {any}
 * @param {Buffer} data
 */
function receiverOnPong(data) {
  events.onPong(this[kWebSocket], data);
}

module.exports = { ConnectionReceiver, isReceiverPatched };
