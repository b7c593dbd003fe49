'use strict';

/*
 * `ws._receiver`: what a connection emits, to be listened to, muted or wrapped by those who know ws's insides (tracers,
 * tests). websocket.js makes it when a program asks for it, or has replaced a method of it; from then on the connection's
 * events go through it. The addon parses, unless a method that ws parses with has been replaced before the connection opened:
 * then the receiver does (transport/stream.js).
 */

const events = require('./websocket-events');
const { FastBuffer, split } = require('../buffer-util');
const { kTransport, kWebSocket } = require('../constants');
const { Opcode } = require('./frame');
const { live, showLive } = require('../node/live-properties');

/** As Receiver has it: a payload has been read. */
const DATA = 4;

/** Settings of a receiver that the addon must be told of, if it parses. */
const SETTINGS = {
  _binaryType: setting('_binaryType', (websocket, value) => {
    websocket[kTransport].binaryType = value;
  }),
  _maxPayload: setting('_maxPayload', (websocket, value) => {
    websocket[kTransport].connection.setMaxPayload(Number(value) | 0);
  }),
  _skipUTF8Validation: setting('_skipUTF8Validation', (websocket, value) => {
    websocket[kTransport].connection.setSkipUtf8Validation(!!value);
  })
};

/**
 * @param {string} name
 * @param {(websocket: any, value: any) => void} tell
 */
function setting(name, tell) {
  return live(
    (receiver) => receiver[kTransport].settings[name],
    (receiver, value) => {
      receiver[kTransport].settings[name] = value;
      tell(receiver[kWebSocket], value);
    }
  );
}

/**
 * @param {any} websocket
 * @param {any} ReceiverClass the class Receiver, or what a tracer has put in its place
 * @param {any} options of the receiver
 * @returns {any} its `_receiver`
 */
function createConnectionReceiver(websocket, ReceiverClass, options) {
  const receiver = new ReceiverClass(options);
  receiver[kWebSocket] = websocket;
  receiver.on('conclude', receiverOnConclude);
  receiver.on('drain', receiverOnDrain);
  receiver.on('error', receiverOnError);
  receiver.on('message', receiverOnMessage);
  receiver.on('ping', receiverOnPing);
  receiver.on('pong', receiverOnPong);
  return receiver;
}

/**
 * Has a receiver stand for what the addon parses.
 *
 * @param {any} receiver
 * @param {any} transport
 */
function standForAddon(receiver, transport) {
  const { _binaryType, _maxPayload, _skipUTF8Validation } = receiver;
  Object.defineProperty(receiver, kTransport, {
    value: {
      isReplaying: false,
      settings: { _binaryType, _maxPayload, _skipUTF8Validation }
    }
  });
  for (const [name, descriptor] of Object.entries(SETTINGS)) {
    Object.defineProperty(receiver, name, descriptor);
  }
  showLive(receiver, SETTINGS);
  transport.receiver = receiver;
}

/**
 * Has a receiver show the frame that the addon has read.
 *
 * @param {any} receiver
 * @param {number} opcode
 * @param {number} length
 */
function showFrame(receiver, opcode, length) {
  receiver._payloadLength = length;
  receiver._masked = receiver._isServer;
  receiver._fin = true;
  receiver._opcode = opcode;
}

/**
 * Hands a message that the addon has parsed to a replaced dataMessage().
 *
 * @param {any} receiver
 * @param {boolean} isBinary
 * @param {Buffer} payload
 * @param {number[] | number} lengths of its frames, if it came in more than one
 */
function replayMessage(receiver, isBinary, payload, lengths) {
  const opcode = isBinary ? Opcode.BINARY : Opcode.TEXT;
  const fragments = Array.isArray(lengths) ? split(payload, lengths) : [payload];
  const last = fragments.length - 1;
  fragments.forEach((fragment, index) => {
    showFrame(receiver, opcode, fragment.length);
    receiver._fin = index === last;
    receiver._fragmented = index === last ? 0 : opcode;
    receiver._totalPayloadLength += fragment.length;
    receiver._messageLength = receiver._totalPayloadLength;
    receiver._state = DATA;
    if (fragment.length > 0) receiver._fragments.push(fragment);
    replay(receiver, () => receiver.dataMessage(callbackOf(receiver)));
  });
}

/**
 * Hands a control frame that the addon has parsed to a replaced controlMessage().
 *
 * @param {any} receiver
 * @param {number} opcode
 * @param {Buffer} payload
 */
function replayControl(receiver, opcode, payload) {
  showFrame(receiver, opcode, payload.length);
  receiver._state = DATA;
  replay(receiver, () => receiver.controlMessage(payload, callbackOf(receiver)));
}

/**
 * @param {any} receiver
 * @param {() => void} call
 */
function replay(receiver, call) {
  const own = receiver[kTransport];
  own.isReplaying = true;
  try {
    call();
  } finally {
    own.isReplaying = false;
  }
}

/** @param {any} receiver */
function callbackOf(receiver) {
  return (/** @type {Error | null | undefined} */ error) => {
    if (error) receiver.emit('error', error);
  };
}

/**
 * The payload of a close frame.
 *
 * @param {number} code 1005: it has none
 * @param {Buffer} reason
 * @returns {Buffer}
 */
function closePayload(code, reason) {
  if (code === 1005) return reason;
  const payload = new FastBuffer(new ArrayBuffer(2 + reason.length));
  payload.writeUInt16BE(code, 0);
  payload.set(reason, 2);
  return payload;
}

/**
 * @this {any}
 * @param {number} code
 * @param {Buffer} reason
 */
function receiverOnConclude(code, reason) {
  events.onConclude(this[kWebSocket], code, reason);
}

/** @this {any} */
function receiverOnDrain() {
  const websocket = this[kWebSocket];
  const { [kTransport]: transport } = websocket;
  if (transport.parser === this) transport.isThrottled = false;
  if (!websocket.isPaused) websocket._socket.resume();
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
  events.onPing(this[kWebSocket], data, this._isServer);
}

/**
 * @this {any}
 * @param {Buffer} data
 */
function receiverOnPong(data) {
  events.onPong(this[kWebSocket], data);
}

module.exports = {
  closePayload,
  createConnectionReceiver,
  replayControl,
  replayMessage,
  showFrame,
  standForAddon
};
