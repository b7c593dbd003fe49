'use strict';

/*
 * Checks of frame headers (RFC 6455, section 5) and errors of the protocol for the Receiver, which parses in JavaScript. Only
 * receiver.js uses it; frames of other connections are checked by the addon.
 */

const { MAX_CONTROL_PAYLOAD, Opcode } = require('./frame');

/**
 * Protocol errors as ws has them: class, true for the prefix "Invalid WebSocket frame: ", close status, code.
 *
 * @type {Record<string, [ErrorConstructor, boolean, number, string]>}
 */
const ERRORS = {
  CHUNKS: [RangeError, false, 1008, 'WS_ERR_TOO_MANY_BUFFERED_PARTS'],
  CLOSE_CODE: [RangeError, true, 1002, 'WS_ERR_INVALID_CLOSE_CODE'],
  CONTROL_LENGTH: [RangeError, true, 1002, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'],
  FIN: [RangeError, true, 1002, 'WS_ERR_EXPECTED_FIN'],
  LENGTH: [RangeError, false, 1009, 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'],
  MASKED: [RangeError, true, 1002, 'WS_ERR_UNEXPECTED_MASK'],
  MAX_PAYLOAD: [RangeError, false, 1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
  OPCODE: [RangeError, true, 1002, 'WS_ERR_INVALID_OPCODE'],
  RSV1: [RangeError, true, 1002, 'WS_ERR_UNEXPECTED_RSV_1'],
  RSV23: [RangeError, true, 1002, 'WS_ERR_UNEXPECTED_RSV_2_3'],
  UNMASKED: [RangeError, true, 1002, 'WS_ERR_EXPECTED_MASK'],
  UTF8: [Error, true, 1007, 'WS_ERR_INVALID_UTF8']
};

/**
 * Creates a protocol error by createError() of the Receiver, which programs may replace.
 *
 * @param {any} receiver
 * @param {keyof typeof ERRORS} name
 * @param {string} message
 * @returns {Error}
 */
function protocolError(receiver, name, message) {
  const [ErrorClass, isPrefixed, status, code] = ERRORS[name];
  return receiver.createError(ErrorClass, message, isPrefixed, status, code);
}

/**
 * Checks the opcode, FIN, RSV1 and, for control frames, the length; stores the state of the message.
 *
 * @param {any} receiver
 * @param {boolean} isCompressed
 * @returns {Error | undefined}
 */
function checkOpcode(receiver, isCompressed) {
  const { _fin: fin, _fragmented: fragmented, _opcode: opcode } = receiver;
  if (opcode === Opcode.CONTINUATION) {
    if (isCompressed) return protocolError(receiver, 'RSV1', 'RSV1 must be clear');
    if (!fragmented) return protocolError(receiver, 'OPCODE', 'invalid opcode 0');
    receiver._opcode = fragmented;
  } else if (opcode === Opcode.TEXT || opcode === Opcode.BINARY) {
    if (fragmented) return protocolError(receiver, 'OPCODE', `invalid opcode ${opcode}`);
    receiver._compressed = isCompressed;
  } else if (opcode >= Opcode.CLOSE && opcode <= Opcode.PONG) {
    const length = receiver._payloadLength;
    if (!fin) return protocolError(receiver, 'FIN', 'FIN must be set');
    if (isCompressed) return protocolError(receiver, 'RSV1', 'RSV1 must be clear');
    if (length > MAX_CONTROL_PAYLOAD || (opcode === Opcode.CLOSE && length === 1)) {
      return protocolError(receiver, 'CONTROL_LENGTH', `invalid payload length ${length}`);
    }
  } else {
    return protocolError(receiver, 'OPCODE', `invalid opcode ${opcode}`);
  }
  if (!fin && !fragmented) receiver._fragmented = receiver._opcode;
  return undefined;
}

/**
 * Checks the first two bytes of a frame, the MASK bit against the role, and stores their fields on the Receiver.
 *
 * @param {any} receiver
 * @param {boolean} isCompressed
 * @param {boolean} isMasked
 * @returns {Error | undefined}
 */
function checkInfo(receiver, isCompressed, isMasked) {
  const error = checkOpcode(receiver, isCompressed);
  if (error) return error;
  receiver._masked = isMasked;
  if (isMasked === receiver._isServer) return undefined;
  return isMasked
    ? protocolError(receiver, 'MASKED', 'MASK must be clear')
    : protocolError(receiver, 'UNMASKED', 'MASK must be set');
}

/**
 * @param {any} receiver
 * @param {number} count
 * @returns {boolean} true if so many bytes are buffered; false ends the loop
 */
function hasBytes(receiver, count) {
  if (receiver._bufferedBytes >= count) return true;
  receiver._loop = false;
  return false;
}

/** @param {any} receiver @param {number} length @returns {boolean} */
function isTooLarge(receiver, length) {
  return receiver._maxPayload > 0 && length > receiver._maxPayload;
}

module.exports = { checkInfo, hasBytes, isTooLarge, protocolError };
