'use strict';

/*
 * The public Receiver: a Writable that takes the bytes of a WebSocket connection and emits what is in them.
 * WebSockets do not need one (see transport/); a connection's `_receiver` is made by
 * connection-receiver.js.
 */

const { Writable } = require('stream');

const PerMessageDeflate = require('./permessage-deflate');
const native = require('./native');
const { BINARY_TYPES, kWebSocket } = require('./constants');
const { Delivery } = require('./transport/delivery');
const { configure } = require('./transport/configurations');
const { createProtocolError } = require('./errors');
const { toNative } = require('./deflate-native');
const { toBinaryType } = require('./transport/records');

const { CLOSE, ERROR, MESSAGE, PING, PONG } = native.RecordKind;
const { BINARY, RANGE_ERROR } = native.RecordFlag;

/** @typedef {(error?: Error | null) => void} Callback */

/**
 * Emits `message(data, isBinary)`, `ping(data)`, `pong(data)`, `conclude(code, reason)`, and what a Writable
 * emits. It ends itself after a close frame and ignores what comes behind.
 */
class Receiver extends Writable {
  /**
   * The WebSocket, if the receiver is that of a connection.
   *
   * @type {any}
   */
  [kWebSocket] = undefined;

  /**
   * Limits are in bytes or pieces; 0 is unlimited.
   *
   * @param {Object} [options]
   * @param {boolean} [options.allowSynchronousEvents] false: at most one event per macrotask
   * @param {string} [options.binaryType]
   * @param {Record<string, any>} [options.extensions]
   * @param {boolean} [options.isServer] whether frames must be masked
   * @param {number} [options.maxBufferedChunks]
   * @param {number} [options.maxFragments]
   * @param {number} [options.maxPayload]
   * @param {boolean} [options.skipUTF8Validation]
   */
  constructor(options = {}) {
    super();
    this._allowSynchronousEvents = options.allowSynchronousEvents ?? true;
    this._binaryType = options.binaryType || BINARY_TYPES[0];
    this._extensions = options.extensions || {};
    this._isServer = !!options.isServer;
    this._maxBufferedChunks = Number(options.maxBufferedChunks) | 0;
    this._maxFragments = Number(options.maxFragments) | 0;
    /** @type {InstanceType<typeof Delivery> | null} made with the first chunk, so that the options can still be changed */
    this._delivery = null;
    this._payloadLimit = Number(options.maxPayload) | 0;
    this._skipsValidation = !!options.skipUTF8Validation;
    this._isConcluded = false;
    /** @type {Callback | null} of the chunk that is being worked on */
    this._chunkCallback = null;
  }

  get _maxPayload() {
    return this._payloadLimit;
  }

  set _maxPayload(value) {
    this._payloadLimit = Number(value) | 0;
    this._delivery?.connection.setMaxPayload(this._payloadLimit);
  }

  get _skipUTF8Validation() {
    return this._skipsValidation;
  }

  set _skipUTF8Validation(value) {
    this._skipsValidation = !!value;
    this._delivery?.connection.setSkipUtf8Validation(this._skipsValidation);
  }

  /**
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {Callback} callback called when all that is in the chunk has been emitted
   */
  _write(chunk, _encoding, callback) {
    if (this._isConcluded) {
      callback();
      return;
    }
    const delivery = (this._delivery ??= this._createDelivery());
    this._chunkCallback = callback;
    delivery.read(native.receive(delivery.id, chunk));
  }

  _createDelivery() {
    const configuration = configure({
      isServer: this._isServer,
      autoPong: false,
      maxBufferedChunks: this._maxBufferedChunks,
      maxFragments: this._maxFragments,
      maxPayload: this._maxPayload,
      maxPendingAutoPongs: 0,
      skipUTF8Validation: this._skipUTF8Validation,
      deflate: toNative(this._extensions[PerMessageDeflate.extensionName])
    });
    return new ReceiverDelivery(this, configuration, this._allowSynchronousEvents);
  }

  /**
   * @param {number} head
   * @param {any} payload
   * @param {any} detail
   */
  handleRecord(head, payload, detail) {
    switch (head & 0xff) {
      case MESSAGE: {
        const isBinary = (head & BINARY) !== 0;
        const data = isBinary ? toBinaryType(payload, detail, this._binaryType) : payload;
        this.emit('message', data, isBinary);
        break;
      }
      case PING:
        this.emit('ping', payload);
        break;
      case PONG:
        this.emit('pong', payload);
        break;
      case CLOSE:
        this._isConcluded = true;
        this.emit('conclude', detail, payload);
        this.end();
        break;
      case ERROR:
        this._completeChunk(
          createProtocolError((head & RANGE_ERROR) !== 0, payload.toString(), detail)
        );
        break;
    }
  }

  handleIdle() {
    if (this._delivery?.isIdle) this._completeChunk();
  }

  /** @param {Error} [error] */
  _completeChunk(error) {
    const callback = this._chunkCallback;
    this._chunkCallback = null;
    callback?.(error);
  }
}

/** What a Receiver that is no connection's is emptied by. */
class ReceiverDelivery extends Delivery {
  /**
   * @param {Receiver} receiver
   * @param {number} configuration see transport/configurations.js
   * @param {boolean} isSynchronous
   */
  constructor(receiver, configuration, isSynchronous) {
    super(isSynchronous);
    this.receiver = receiver;
    this.object = native.createConnection(configuration);
    this.id = this.object.id;
  }

  /**
   * @param {number} head
   * @param {any} payload
   * @param {any} detail
   */
  handleRecord(head, payload, detail) {
    this.receiver.handleRecord(head, payload, detail);
  }

  handleIdle() {
    this.receiver.handleIdle();
  }
}

module.exports = Receiver;
