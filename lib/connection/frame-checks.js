'use strict';

/*
 * What a Receiver checks of the frames that it reads, and the errors that it makes. Only receiver.js uses it.
 */

const { MAX_CONTROL_PAYLOAD, Opcode } = require('./send-job');

/**
 * Errors of the protocol: class, whether the text begins as those of malformed frames do, close status, code.
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
 * @param {any} receiver
 * @param {keyof typeof ERRORS} name
 * @param {string} message
 */
function errorOf(receiver, name, message) {
  const [ErrorClass, isPrefixed, status, code] = ERRORS[name];
  return receiver.createError(ErrorClass, message, isPrefixed, status, code);
}

/**
 * @param {any} receiver
 * @param {boolean} isCompressed
 * @returns {Error | undefined} what is wrong with the frame that begins
 */
function checkOpcode(receiver, isCompressed) {
  const { _fin: fin, _fragmented: fragmented, _opcode: opcode } = receiver;
  if (opcode === Opcode.CONTINUATION) {
    if (isCompressed) return errorOf(receiver, 'RSV1', 'RSV1 must be clear');
    if (!fragmented) return errorOf(receiver, 'OPCODE', 'invalid opcode 0');
    receiver._opcode = fragmented;
  } else if (opcode === Opcode.TEXT || opcode === Opcode.BINARY) {
    if (fragmented) return errorOf(receiver, 'OPCODE', `invalid opcode ${opcode}`);
    receiver._compressed = isCompressed;
  } else if (opcode >= Opcode.CLOSE && opcode <= Opcode.PONG) {
    const length = receiver._payloadLength;
    if (!fin) return errorOf(receiver, 'FIN', 'FIN must be set');
    if (isCompressed) return errorOf(receiver, 'RSV1', 'RSV1 must be clear');
    if (length > MAX_CONTROL_PAYLOAD || (opcode === Opcode.CLOSE && length === 1)) {
      return errorOf(receiver, 'CONTROL_LENGTH', `invalid payload length ${length}`);
    }
  } else {
    return errorOf(receiver, 'OPCODE', `invalid opcode ${opcode}`);
  }
  if (!fin && !fragmented) receiver._fragmented = receiver._opcode;
  return undefined;
}

/**
 * @param {any} receiver
 * @param {boolean} isMasked
 * @returns {Error | undefined} what is wrong with it
 */
function checkMask(receiver, isMasked) {
  receiver._masked = isMasked;
  if (isMasked === receiver._isServer) return undefined;
  return isMasked
    ? errorOf(receiver, 'MASKED', 'MASK must be clear')
    : errorOf(receiver, 'UNMASKED', 'MASK must be set');
}

/**
 * @param {any} receiver
 * @param {number} count
 * @returns {boolean} whether so many bytes are there; if not, the loop ends
 */
function hasBytes(receiver, count) {
  if (receiver._bufferedBytes >= count) return true;
  receiver._loop = false;
  return false;
}

/**
 * @param {any} receiver
 * @param {number} length
 */
function isTooLarge(receiver, length) {
  return receiver._maxPayload > 0 && length > receiver._maxPayload;
}

/**
 * Checks the first two bytes of a frame, and keeps what they say.
 *
 * @param {any} receiver
 * @param {boolean} isCompressed
 * @param {boolean} isMasked
 * @returns {Error | undefined} what is wrong with them
 */
function checkInfo(receiver, isCompressed, isMasked) {
  return checkOpcode(receiver, isCompressed) ?? checkMask(receiver, isMasked);
}

module.exports = { checkInfo, errorOf, hasBytes, isTooLarge };
