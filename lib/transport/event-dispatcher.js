'use strict';

/*
 * Dispatches the parsed events of a connection to its WebSocket: to the functions of websocket-events.js or, if a program has
 * accessed or changed the Receiver, by way of that. Base class of the transports; event-queue.js decides when.
 */

const events = require('../connection/websocket-events');
const native = require('../native');
const { EventQueue } = require('./event-queue');
const originals = require('../node/originals').definedBy(require('../receiver'));
const { closePayload, replayControl, replayMessage, showFrame } = require('../connection/receiver');
const { Opcode } = require('../connection/frame');
const { createProtocolError } = require('../errors');
const { toBinaryType } = require('./record-reader');
const { nextTick } = require('../node/schedule');

const { hasOriginalControlMessage, hasOriginalDataMessage } = originals.receiver;
const { CLOSE, ERROR, FLOODED, MESSAGE, PING, PONG } = native.RecordKind;
const { ANSWERED, BINARY, RANGE_ERROR } = native.RecordFlag;

class EventDispatcher extends EventQueue {
  /**
   * @param {any} websocket
   * @param {import('./config-cache').Config} config
   * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
   */
  constructor(websocket, config, isSynchronous) {
    super(isSynchronous);
    this.websocket = websocket;
    /** Initial options of the connection, shared by connections with the same configuration. */
    this.options = config.options;
    /**
     * The Receiver that events pass through; null unless a program has accessed it.
     *
     * @type {any}
     */
    this.receiver = null;
    /** The form of binary messages. */
    this.binaryType = 'nodebuffer';
    this.messagesReceived = 0;
  }

  /**
   * @param {number} head first word of the record
   * @param {any} payload
   * @param {any} detail CLOSE: the code; ERROR: the close status; MESSAGE: see handleMessage()
   */
  handleRecord(head, payload, detail) {
    const { receiver, websocket } = this;
    switch (head & 0xff) {
      case MESSAGE:
        this.messagesReceived++;
        this.handleMessage((head & BINARY) !== 0, payload, detail);
        break;
      case PING:
        this.isPingAnswered = (head & ANSWERED) !== 0;
        if (receiver !== null || !hasOriginalControlMessage(null)) {
          emitOnReceiver(this, Opcode.PING, payload, 0);
        } else {
          events.onPing(websocket, payload, this.options.isServer);
        }
        break;
      case PONG:
        if (receiver !== null || !hasOriginalControlMessage(null)) {
          emitOnReceiver(this, Opcode.PONG, payload, 0);
        } else {
          events.onPong(websocket, payload);
        }
        break;
      case CLOSE:
        this.isInputEnded = true;
        if (receiver !== null || !hasOriginalControlMessage(null)) {
          emitOnReceiver(this, Opcode.CLOSE, payload, detail);
        } else {
          events.onConclude(websocket, detail, payload);
        }
        break;
      case ERROR: {
        const isRangeError = (head & RANGE_ERROR) !== 0;
        this.emitErrorLater(createProtocolError(isRangeError, payload.toString(), detail));
        break;
      }
      case FLOODED:
        websocket.terminate();
        break;
      default:
        this.handleTransportRecord(head, payload, detail);
    }
  }

  /**
   * @param {boolean} isBinary
   * @param {Buffer} payload
   * @param {any} detail lengths of its frames, if there was more than one
   */
  handleMessage(isBinary, payload, detail) {
    const { receiver, websocket } = this;
    if (!hasOriginalDataMessage(receiver)) {
      replayMessage(websocket._receiver, isBinary, payload, detail);
      return;
    }
    const { binaryType } = this;
    const data =
      isBinary && binaryType !== 'nodebuffer' ? toBinaryType(payload, detail, binaryType) : payload;
    if (receiver === null) {
      websocket.emit('message', data, isBinary);
    } else {
      showFrame(receiver, isBinary ? Opcode.BINARY : Opcode.TEXT, payload.length);
      receiver.emit('message', data, isBinary);
    }
  }

  /**
   * Emits a protocol error two ticks later, after the ticks that the message before it has queued: ws's receiver is a
   * Writable, which takes one tick to note an error and another to emit it.
   *
   * @param {Error} error
   */
  emitErrorLater(error) {
    this.hold();
    nextTick(() => nextTick(() => this.emitError(error)));
  }

  /** @param {Error} error */
  emitError(error) {
    const { receiver, websocket } = this;
    this.isInputEnded = true;
    try {
      if (receiver === null) events.onError(websocket, error);
      else receiver.emit('error', error);
    } finally {
      this.resumeEmitting();
    }
  }

  /**
   * Handles records of other kinds than events of a WebSocket.
   *
   * @param {number} _head
   * @param {any} _payload
   * @param {any} _detail
   */
  handleTransportRecord(_head, _payload, _detail) {}
}

/**
 * Emits a control frame on the Receiver, which a program has accessed or changed.
 *
 * @param {EventDispatcher} dispatcher
 * @param {number} opcode
 * @param {Buffer} payload of a close frame: the reason
 * @param {number} code of a close frame; 1005: it has no body
 */
function emitOnReceiver({ receiver, websocket }, opcode, payload, code) {
  if (!hasOriginalControlMessage(receiver)) {
    const body = opcode === Opcode.CLOSE ? closePayload(code, payload) : payload;
    replayControl(websocket._receiver, opcode, body);
  } else if (opcode === Opcode.CLOSE) {
    showFrame(receiver, opcode, code === 1005 ? 0 : payload.length + 2);
    receiver.emit('conclude', code, payload);
    receiver.end();
  } else {
    showFrame(receiver, opcode, payload.length);
    receiver.emit(opcode === Opcode.PING ? 'ping' : 'pong', payload);
  }
}

module.exports = { EventDispatcher };
