'use strict';

/*
 * Reactions of a WebSocket to events of its connection and its socket: pongs, the closing handshake (RFC 6455, section 7), the
 * order of `error` and `close`. Called by the transports, the Receiver and the socket. Acts through the methods of the
 * WebSocket, which programs may have overridden. No parsing and no writing.
 */

const originals = require('../node/originals');
const { startReading } = require('./deferred-reading');
const { noteCause, publishError } = require('../diagnostics');
const {
  AUTO_PONG_COMPLETE,
  CLOSED,
  CLOSING,
  EMPTY_BUFFER,
  NOOP,
  OPEN,
  kStatusCode,
  kTransport,
  kWebSocket
} = require('../constants');
const { nextTick } = require('../node/schedule');

/** @typedef {any} WebSocket */
/** @typedef {import('../transport/base-transport').Socket} Socket */

/**
 * Answers a ping, unless it has been answered, and emits it.
 *
 * @param {WebSocket} ws
 * @param {Buffer} data
 * @param {boolean} isServer
 */
function onPing(ws, data, isServer) {
  // An I/O thread answers pings itself while canThreadPong().
  if (ws._autoPong && ws.readyState === OPEN && !ws[kTransport].isPingAnswered) {
    answerPing(ws, data, isServer);
  }
  ws.emit('ping', data);
}

/**
 * Sends a pong, or terminates the connection if `maxPendingAutoPongs` are unsent.
 *
 * @param {WebSocket} ws
 * @param {Buffer} data
 * @param {boolean} isServer
 */
function answerPing(ws, data, isServer) {
  const limit = ws._maxPendingAutoPongs;
  if (limit > 0 && ws._pendingAutoPongs >= limit) {
    ws.terminate();
    return;
  }
  if (ws._autoPongComplete === AUTO_PONG_COMPLETE) {
    ws._autoPongComplete = () => {
      ws._pendingAutoPongs--;
    };
  }
  ws._pendingAutoPongs++;
  ws.pong(data, !isServer, ws._autoPongComplete);
}

/**
 * Makes this thread answer pings from now on if the program takes part in the answer. Checked when a connection opens and after
 * each delivery, so a member replaced in between takes effect at the next delivery.
 *
 * @param {any} transport
 */
function updateThreadPongs(transport) {
  if (!canThreadPong(transport)) disableThreadPongs(transport);
}

/**
 * @param {any} transport
 * @returns {boolean} true if an I/O thread may answer pings: no code of the program would run for the answer
 */
function canThreadPong({ backpressure, generateMask, options, receiver, sender, websocket }) {
  return (
    backpressure === null &&
    websocket._pendingAutoPongs === 0 &&
    websocket._maxPendingAutoPongs === options.maxPendingAutoPongs &&
    websocket.readyState === OPEN &&
    receiver === null &&
    canPongNatively(websocket, generateMask, sender)
  );
}

/**
 * @param {WebSocket} ws
 * @param {unknown} generateMask the client's option
 * @param {any} sender null: not created yet
 * @returns {boolean} true if the addon sends the pong that ws would send
 */
function canPongNatively(ws, generateMask, sender) {
  return (
    ws._autoPong === true &&
    generateMask === undefined &&
    originals.websocket.hasOriginalPong(ws) &&
    originals.sender.hasOriginalControl(sender, 'pong')
  );
}

/** Makes this thread answer pings. @param {any} transport */
function disableThreadPongs(transport) {
  if (!transport.mayPong) return;
  transport.mayPong = false;
  transport.connection.setAutoPong(false);
}

/** @param {WebSocket} ws @param {Buffer} data */
function onPong(ws, data) {
  ws.emit('pong', data);
}

/**
 * Handles a close frame, and echoes it: earlier messages have been emitted, and replies of their listeners sent.
 *
 * @param {WebSocket} ws
 * @param {number} code 1005 if the frame had no body
 * @param {Buffer} reason
 */
function onConclude(ws, code, reason) {
  ws._closeFrameReceived = true;
  ws._closeCode = code;
  ws._closeMessage = EMPTY_BUFFER;
  if (reason.length > 0) {
    // Copied into its own memory: a view would keep the memory of the delivery, or Node's pool, alive for a few bytes.
    ws._closeMessage = Buffer.allocUnsafeSlow(reason.length);
    ws._closeMessage.set(reason);
  }

  const { _socket: socket, [kTransport]: transport } = ws;
  if (socket[kWebSocket] === undefined) return;
  transport.stopReading();
  discardInput(socket);
  if (code === 1005) ws.close();
  else ws.close(code, reason);
}

/**
 * Handles a protocol error of the peer: sends a close frame with its status, and stops parsing.
 *
 * @param {WebSocket} ws
 * @param {any} error has the close status under kStatusCode
 */
function onError(ws, error) {
  const { _socket: socket, [kTransport]: transport } = ws;
  transport.hasFailed = true;
  if (socket[kWebSocket] !== undefined) {
    transport.stopReading();
    discardInput(socket);
    ws.close(error[kStatusCode]);
  }
  emitError(ws, error);
}

/**
 * Resumes a paused socket: its end is only seen when all input has been read.
 *
 * @param {Socket} socket
 */
function discardInput(socket) {
  nextTick(() => socket.resume());
}

/**
 * Handles a send that failed before any byte was written: a Blob could not be read.
 *
 * @param {WebSocket} ws
 * @param {Error} error
 */
function onSendError(ws, error) {
  const { readyState } = ws;
  if (readyState === CLOSED) return;
  if (readyState === OPEN) {
    ws._readyState = CLOSING;
    ws[kTransport].connection.setAutoPong(false);
    armCloseTimer(ws);
  }
  // end(), not destroy(): the peer may complete its messages.
  ws._socket.end();
  emitError(ws, error);
}

/**
 * Emits `error`, at most once after `open`.
 *
 * @param {WebSocket} ws
 * @param {Error} error
 */
function emitError(ws, error) {
  if (ws._errorEmitted) return;
  ws._errorEmitted = true;
  publishError(ws, error);
  ws.emit('error', error);
}

/**
 * Begins the closing of a connection: reads the peer's close frame, and destroys the socket after `closeTimeout` milliseconds. On the global setTimeout(), as in ws: tests fake it.
 *
 * @param {WebSocket} ws
 */
function armCloseTimer(ws) {
  const { _socket: socket } = ws;
  startReading(ws);
  ws._closeTimer = setTimeout(() => {
    noteCause(ws, 'closeTimeout');
    socket.destroy();
  }, ws._closeTimeout);
}

/**
 * Adds the listeners of a WebSocket to its socket.
 *
 * @param {WebSocket | undefined} ws
 * @param {Socket} socket
 * @param {boolean} [hasClosed] true if only errors can follow, which are ignored
 */
function watchSocket(ws, socket, hasClosed = false) {
  socket[kWebSocket] = ws;
  if (!hasClosed) {
    socket.on('close', socketOnClose);
    socket.on('end', socketOnEnd);
  }
  socket.on('error', socketOnError);
}

/**
 * Handles 'close' of the socket: the transport emits the remaining events, then `close`.
 *
 * @param {WebSocket} ws
 * @param {Socket} socket
 */
function onSocketClose(ws, socket) {
  ws._readyState = CLOSING;
  socket[kWebSocket] = undefined;
  clearTimeout(ws._closeTimer);
  ws[kTransport].handleSocketClose();
}

/**
 * Handles 'end' of the socket: ends its writable side.
 *
 * @param {WebSocket} ws
 * @param {Socket} socket
 */
function onSocketEnd(ws, socket) {
  ws._readyState = CLOSING;
  ws[kTransport].endInput();
  ws[kTransport].flush();
  socket.end();
}

/**
 * Handles 'error' of the socket. Not emitted on the WebSocket, as in ws.
 *
 * @param {WebSocket | undefined} ws undefined: the socket has closed
 * @param {Socket} socket
 */
function onSocketError(ws, socket) {
  if (!ws) return;
  ws._readyState = CLOSING;
  socket.destroy();
}

/** @this {Socket} */
function socketOnClose() {
  this.removeListener('close', socketOnClose);
  this.removeListener('end', socketOnEnd);
  onSocketClose(this[kWebSocket], this);
}

/** @this {Socket} */
function socketOnEnd() {
  onSocketEnd(this[kWebSocket], this);
}

/** @this {Socket} */
function socketOnError() {
  this.removeListener('error', socketOnError);
  this.on('error', NOOP);
  onSocketError(this[kWebSocket], this);
}

module.exports = {
  armCloseTimer,
  canThreadPong,
  disableThreadPongs,
  onConclude,
  onError,
  onPing,
  onPong,
  onSendError,
  onSocketClose,
  onSocketEnd,
  onSocketError,
  updateThreadPongs,
  watchSocket
};
