'use strict';

/*
 * What a WebSocket does when something happens on its connection or its socket: the closing handshake, the
 * replies, the order of `error` and `close`. The transports and the receiver of a connection call it; it
 * acts through the WebSocket's own methods, which users may have overridden.
 */

const originals = require('../node/originals');
const { publishError } = require('../diagnostics');
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
 * @param {WebSocket} ws
 * @param {Buffer} data
 * @param {boolean} isServer
 */
function onPing(ws, data, isServer) {
  // An I/O thread answers pings by itself, unless user code has a say in the answer.
  if (ws._autoPong && ws.readyState === OPEN && !ws[kTransport].isPingAnswered) {
    answerPing(ws, data, isServer);
  }
  ws.emit('ping', data);
}

/**
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
 * Has an I/O thread leave the answers to pings to this thread from now on, if user code has a say in them. Threads are told
 * when a connection opens, and after each delivery: what a program replaces meanwhile is noticed by then.
 *
 * @param {any} transport
 */
function updateThreadPongs(transport) {
  if (!canThreadPong(transport)) disableThreadPongs(transport);
}

/**
 * @param {any} transport
 * @returns {boolean} whether no user code would see a thread answer
 */
function canThreadPong({ generateMask, options, receiver, sender, websocket }) {
  return (
    websocket._autoPong === true &&
    websocket._pendingAutoPongs === 0 &&
    websocket._maxPendingAutoPongs === options.maxPendingAutoPongs &&
    websocket.readyState === OPEN &&
    generateMask === undefined &&
    receiver === null &&
    originals.websocket.hasOriginalPong(websocket) &&
    originals.sender.hasOriginalControl(sender, 'pong')
  );
}

/** @param {any} transport */
function disableThreadPongs(transport) {
  if (!transport.mayPong) return;
  transport.mayPong = false;
  transport.connection.setAutoPong(false);
}

/**
 * @param {WebSocket} ws
 * @param {Buffer} data
 */
function onPong(ws, data) {
  ws.emit('pong', data);
}

/**
 * A close frame has arrived: what came before it has been emitted, so the echo may go out.
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
    // Neither a view of shared memory nor of Node's pool: either would be kept alive for a few bytes.
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
 * The peer has broken the protocol: nothing after it is parsed.
 *
 * @param {WebSocket} ws
 * @param {any} error with the close status to send
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
 * Reading goes on, even if paused, or the end of the stream would never be seen.
 *
 * @param {Socket} socket
 */
function discardInput(socket) {
  nextTick(() => socket.resume());
}

/**
 * Sending has failed before anything reached the socket (a Blob could not be read).
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
  // Not destroyed: the peer may finish what it is sending.
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
 * Gives the peer `closeTimeout` ms to finish, then destroys the socket.
 *
 * @param {WebSocket} ws
 */
function armCloseTimer(ws) {
  const { _socket: socket } = ws;
  ws._closeTimer = setTimeout(() => socket.destroy(), ws._closeTimeout);
}

/**
 * Puts the listeners of a WebSocket on its socket.
 *
 * @param {WebSocket | undefined} ws
 * @param {Socket} socket
 * @param {boolean} [hasClosed] whether there is no more to be watched for than errors, which are nobody's then
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
 * @param {WebSocket} ws
 * @param {Socket} socket
 */
function onSocketClose(ws, socket) {
  ws._readyState = CLOSING;
  socket[kWebSocket] = undefined;
  clearTimeout(ws._closeTimer);
  ws[kTransport].socketClosed();
}

/**
 * The peer sends no more.
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
 * @param {WebSocket | undefined} ws undefined: its socket has closed
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
  updateThreadPongs,
  canThreadPong,
  onConclude,
  onError,
  onPing,
  onPong,
  onSendError,
  onSocketClose,
  onSocketEnd,
  onSocketError,
  disableThreadPongs,
  watchSocket
};
