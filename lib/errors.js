'use strict';

/*
 * Errors that the shim creates: class, message and code are those of ws. The addon words protocol errors, those of the
 * Receiver are in connection/frame-checks.js.
 */

const { getSystemErrorName } = require('util');
const { Z_DATA_ERROR } = require('zlib').constants;

const { READY_STATES, kStatusCode } = require('./constants');

/**
 * name: [class, message, code]
 *
 * @type {Record<string, [ErrorConstructor, (...details: any[]) => string, string?]>}
 */
const TABLE = {
  // Loading
  LOAD: [Error, (text) => text, 'ERR_FERROWS_LOAD'],

  // Arguments of the WebSocket constructor
  INVALID_URL: [SyntaxError, (url) => `Invalid URL: ${url}`],
  URL_PROTOCOL: [
    SyntaxError,
    () => 'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"'
  ],
  URL_PATHNAME: [SyntaxError, () => "The URL's pathname is empty"],
  URL_FRAGMENT: [SyntaxError, () => 'The URL contains a fragment identifier'],
  SUBPROTOCOL: [SyntaxError, () => 'An invalid or duplicated subprotocol was specified'],
  PROTOCOL_VERSION: [
    RangeError,
    (version) => `Unsupported protocol version: ${version} (supported versions: 8, 13)`
  ],

  TRANSPORT: [
    TypeError,
    (choices) => `The "transport" option must be one of "${choices.join('", "')}"`
  ],

  // Options and arguments that ws does not have: Node's errors, whose parts options/checks.js words
  ARG_TYPE: [
    TypeError,
    (name, expected, received) => `The ${name} must be ${expected}. Received ${received}`,
    'ERR_INVALID_ARG_TYPE'
  ],
  ARG_RANGE: [
    RangeError,
    (name, range, received) =>
      `The value of "${name}" is out of range. It must be ${range}. Received ${received}`,
    'ERR_OUT_OF_RANGE'
  ],
  ARG_VALUE: [
    TypeError,
    (name, reason, received) => `The ${name} ${reason}. Received ${received}`,
    'ERR_INVALID_ARG_VALUE'
  ],

  // Arguments and state of a call
  BACKPRESSURE: [
    Error,
    () => 'The data was not sent: the queue of the connection has reached maxBackpressure',
    'ERR_FERROWS_BACKPRESSURE'
  ],
  NOT_OPEN: [
    Error,
    (state) => `WebSocket is not open: readyState ${state} (${READY_STATES[state]})`
  ],
  CONTROL_TOO_LONG: [RangeError, () => 'The data size must not be greater than 125 bytes'],
  CLOSE_CODE: [TypeError, () => 'First argument must be a valid error code number'],
  REASON_TOO_LONG: [RangeError, () => 'The message must not be greater than 123 bytes'],
  REASON_TYPE: [TypeError, () => 'Second argument must be a string or a Uint8Array'],
  CLOSED_READING_BLOB: [Error, () => 'The socket was closed while the blob was being read'],
  CLOSED_COMPRESSING: [Error, () => 'The socket was closed while data was being compressed'],
  STREAM_DESTROYED: [
    Error,
    () => 'Cannot call write after a stream was destroyed',
    'ERR_STREAM_DESTROYED'
  ],

  SOCKET_ENCODING: [
    Error,
    () => 'Changing the socket encoding is not allowed per RFC7230 Section 3.',
    'ERR_HTTP_SOCKET_ENCODING'
  ],

  // Opening handshake, client
  ABORTED: [Error, () => 'WebSocket was closed before the connection was established'],
  HANDSHAKE_TIMEOUT: [Error, () => 'Opening handshake has timed out'],
  TOO_MANY_REDIRECTS: [Error, () => 'Maximum redirects exceeded'],
  UNEXPECTED_RESPONSE: [Error, (status) => `Unexpected server response: ${status}`],
  UPGRADE_HEADER: [Error, () => 'Invalid Upgrade header'],
  ACCEPT_HEADER: [Error, () => 'Invalid Sec-WebSocket-Accept header'],
  SUBPROTOCOL_UNREQUESTED: [Error, () => 'Server sent a subprotocol but none was requested'],
  SUBPROTOCOL_INVALID: [Error, () => 'Server sent an invalid subprotocol'],
  SUBPROTOCOL_MISSING: [Error, () => 'Server sent no subprotocol'],
  EXTENSION_UNOFFERED: [Error, () => 'Server indicated an extension that was not requested'],
  EXTENSIONS_HEADER: [Error, () => 'Invalid Sec-WebSocket-Extensions header'],
  EXTENSION_UNREQUESTED: [
    Error,
    () => 'Server sent a Sec-WebSocket-Extensions header but no extension was requested'
  ],

  // Server
  SERVER_OPTIONS: [
    TypeError,
    () => 'One and only one of the "port", "server", or "noServer" options must be specified'
  ],
  NO_SERVER: [Error, () => 'The server is operating in "noServer" mode'],
  NOT_RUNNING: [Error, () => 'The server is not running'],
  UPGRADED_TWICE: [
    Error,
    () =>
      'server.handleUpgrade() was called more than once with the same socket, possibly due to a ' +
      'misconfiguration'
  ],
  CLIENT_ERROR: [Error, (message) => message],
  REQUEST_TIMEOUT: [Error, () => 'Request timeout', 'ERR_HTTP_REQUEST_TIMEOUT'],

  // Header fields and permessage-deflate
  UNEXPECTED_CHARACTER: [SyntaxError, (index) => `Unexpected character at index ${index}`],
  UNEXPECTED_END: [SyntaxError, () => 'Unexpected end of input'],
  SUBPROTOCOL_REPEATED: [SyntaxError, (name) => `The "${name}" subprotocol is duplicated`],
  PARAMETER_REPEATED: [Error, (name) => `Parameter "${name}" must have only a single value`],
  PARAMETER_UNKNOWN: [Error, (name) => `Unknown parameter "${name}"`],
  PARAMETER_VALUE: [TypeError, (name, value) => `Invalid value for parameter "${name}": ${value}`],
  PARAMETER_UNEXPECTED: [Error, (name) => `Unexpected parameter "${name}"`],
  PARAMETER_UNACCEPTABLE: [Error, (name) => `Unexpected or invalid parameter "${name}"`],
  OFFERS_REFUSED: [Error, () => 'None of the extension offers can be accepted'],
  DEFLATE_CLOSED: [Error, () => 'The deflate stream was closed while data was being processed'],
  INFLATED_TOO_LARGE: [
    RangeError,
    () => 'Max payload size exceeded',
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  ]
};

/**
 * Creates an error of the table, with a stack that starts at the caller.
 *
 * @param {keyof typeof TABLE} name row of the table
 * @param {...any} details arguments of the message
 * @returns {Error & { code?: string }}
 */
function createError(name, ...details) {
  const [ErrorClass, text, code] = TABLE[name];
  const error = /** @type {Error & { code?: string }} */ (new ErrorClass(text(...details)));
  if (code !== undefined) error.code = code;
  Error.captureStackTrace(error, createError);
  return error;
}

/**
 * Creates the error of an ERROR record.
 *
 * @param {boolean} isRangeError true: a RangeError, false: an Error
 * @param {string} text `CODE\nmessage`, from the addon
 * @param {number} status close status to send
 * @returns {Error}
 */
function createProtocolError(isRangeError, text, status) {
  const separator = text.indexOf('\n');
  const ErrorClass = isRangeError ? RangeError : Error;
  const error = /** @type {Error & Record<string | symbol, any>} */ (
    new ErrorClass(text.slice(separator + 1))
  );
  const code = text.slice(0, separator);
  if (code === 'Z_DATA_ERROR') error.errno = Z_DATA_ERROR;
  error.code = code;
  error[kStatusCode] = status;
  Error.captureStackTrace(error, createProtocolError);
  return error;
}

/**
 * Creates the error of a failed system call, in the form of Node's: `read ECONNRESET`.
 *
 * @param {string} syscall 'read' or 'write'
 * @param {number} errno positive
 * @returns {Error}
 */
function createSystemError(syscall, errno) {
  let code;
  try {
    code = getSystemErrorName(-errno);
  } catch {
    code = `E${errno}`;
  }
  let message = `${syscall} ${code}`;
  // Reported by the addon only: the memory of the message was detached or resized.
  if (code === 'EFAULT') message += ': a Buffer was detached or resized before it was written';
  const error = Object.assign(new Error(message), { errno: -errno, code, syscall });
  Error.captureStackTrace(error, createSystemError);
  return error;
}

module.exports = { createError, createProtocolError, createSystemError };
