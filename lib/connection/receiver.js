'use strict';

/*
 * `ws._receiver`: the Receiver of a connection, for tracers and tests that listen to it or wrap its methods. websocket.js
 * creates it when a program reads it, or has replaced a method of the class; from then on the events of the connection pass
 * through it. The addon parses and the events are replayed here, unless a parsing method was replaced before the connection
 * opened: then the Receiver itself parses, over transport/stream-transport.js.
 */

const events = require('./websocket-events');
const { split } = require('../buffer-util');
const { kTransport, kWebSocket } = require('../constants');
const { Opcode, createCloseBody } = require('./frame');
const { answersHeartbeat } = require('../transport/time-limits');
const { live, showLive } = require('../node/live-properties');

/** Value of the Receiver's `_state` while a payload is handled. */
const DATA = 4;

/** Properties of a receiver whose changes are passed on to the addon, which parses. */
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
 * @param {(websocket: any, value: any) => void} apply
 * @returns {PropertyDescriptor}
 */
function setting(name, apply) {
  return live(
    (receiver) => receiver[kTransport].settings[name],
    (receiver, value) => {
      receiver[kTransport].settings[name] = value;
      apply(receiver[kWebSocket], value);
    }
  );
}

/**
 * @param {any} websocket
 * @param {any} ReceiverClass the class Receiver, or the one that a tracer has put in its place
 * @param {any} options of the receiver
 * @returns {any} the `_receiver` of the WebSocket
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
 * Makes a receiver the one through which the events of a connection pass that the addon parses.
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
 * Sets the properties that describe the frame that the addon has parsed.
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
 * Passes a message that the addon has parsed to a replaced dataMessage(), frame by frame.
 *
 * @param {any} receiver
 * @param {boolean} isBinary
 * @param {Buffer} payload
 * @param {number[] | number} lengths of its frames; not an array if it came in one
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
 * Passes a control frame that the addon has parsed to a replaced controlMessage().
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
 * Calls a method of a receiver whose events have had their macrotask.
 *
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

/** @param {any} receiver @returns {(error?: Error | null) => void} the callback of a parsing method */
function callbackOf(receiver) {
  return (/** @type {Error | null | undefined} */ error) => {
    if (error) receiver.emit('error', error);
  };
}

/**
 * @param {number} code 1005: an empty payload
 * @param {Buffer} reason
 * @returns {Buffer} the payload of a received close frame
 */
function closePayload(code, reason) {
  return createCloseBody(code === 1005 ? undefined : code, reason);
}

/** @this {any} @param {number} code @param {Buffer} reason */
function receiverOnConclude(code, reason) {
  events.onConclude(this[kWebSocket], code, reason);
}

/** @this {any} */
function receiverOnDrain() {
  const websocket = this[kWebSocket];
  const { [kTransport]: transport } = websocket;
  if (transport.parser === this) transport.isThrottled = false;
  if (!websocket.isPaused && transport.canRead) websocket._socket.resume();
}

/** @this {any} @param {Error} error */
function receiverOnError(error) {
  events.onError(this[kWebSocket], error);
}

/** @this {any} @param {any} data @param {boolean} isBinary */
function receiverOnMessage(data, isBinary) {
  this[kWebSocket].emit('message', data, isBinary);
}

/** @this {any} @param {Buffer} data */
function receiverOnPing(data) {
  events.onPing(this[kWebSocket], data, this._isServer);
}

/** @this {any} @param {Buffer} data */
function receiverOnPong(data) {
  const websocket = this[kWebSocket];
  if (!answersHeartbeat(websocket[kTransport], data)) events.onPong(websocket, data);
}

module.exports = {
  closePayload,
  createConnectionReceiver,
  replayControl,
  replayMessage,
  showFrame,
  standForAddon
};
