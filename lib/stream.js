'use strict';

/*
 * createWebSocketStream(): a Duplex on top of the public interface of a WebSocket. Exported by index.js. Of private members it
 * uses `_socket` only, as ws does.
 */
const { nextTick } = require('./node/schedule');

const { Duplex } = require('stream');

/** @typedef {(error?: Error | null) => void} Callback */

/**
 * @param {any} ws
 * @param {import('stream').DuplexOptions} [options] the readable side may be in object mode
 * @returns {Duplex} sends one message per write, and reads one chunk per message
 */
function createWebSocketStream(ws, options) {
  // destroy() terminates the WebSocket, except after an error of the WebSocket, which closes itself.
  let mustTerminate = true;

  const duplex = new Duplex({
    ...options,
    autoDestroy: false,
    emitClose: false,
    objectMode: false,
    writableObjectMode: false,

    read() {
      if (ws.isPaused) ws.resume();
    },

    write(chunk, _encoding, callback) {
      whenOpen(ws, () => ws.send(chunk, callback));
    },

    final(callback) {
      whenOpen(ws, () => {
        // The opening handshake has failed; `error` follows.
        if (ws._socket === null) return;
        finish(callback);
      });
    },

    destroy
  });

  /** Closes the WebSocket. The Duplex finishes with the socket. @param {Callback} callback */
  function finish(callback) {
    const socket = ws._socket;
    if (socket.writableFinished) {
      callback();
      if (duplex.readableEnded) duplex.destroy();
    } else {
      socket.once('finish', () => callback());
      ws.close();
    }
  }

  /** @param {Error | null} error @param {Callback} callback */
  function destroy(error, callback) {
    const emitClose = () => duplex.emit('close');
    if (ws.readyState === ws.CLOSED) {
      callback(error);
      nextTick(emitClose);
      return;
    }
    let isCalled = false;
    ws.once('error', (/** @type {Error} */ reason) => {
      isCalled = true;
      callback(reason);
    });
    ws.once('close', () => {
      if (!isCalled) callback(error);
      nextTick(emitClose);
    });
    if (mustTerminate) ws.terminate();
  }

  ws.on('message', (/** @type {any} */ data, /** @type {boolean} */ isBinary) => {
    const chunk = !isBinary && duplex.readableObjectMode ? data.toString() : data;
    if (!duplex.push(chunk)) ws.pause();
  });
  ws.once('error', (/** @type {Error} */ error) => {
    if (duplex.destroyed) return;
    mustTerminate = false;
    duplex.destroy(error);
  });
  ws.once('close', () => {
    if (!duplex.destroyed) duplex.push(null);
  });

  duplex.on('end', () => {
    if (!duplex.destroyed && duplex.writableFinished) duplex.destroy();
  });
  duplex.on('error', duplexOnError);
  return duplex;
}

/**
 * Runs `action` at once, or when the WebSocket opens.
 *
 * @param {any} ws
 * @param {() => void} action
 */
function whenOpen(ws, action) {
  if (ws.readyState === ws.CONNECTING) ws.once('open', () => whenOpen(ws, action));
  else action();
}

/** @this {Duplex} @param {Error} error */
function duplexOnError(error) {
  this.removeListener('error', duplexOnError);
  this.destroy();
  // Without another listener the error is unhandled, as in any EventEmitter.
  if (this.listenerCount('error') === 0) this.emit('error', error);
}

module.exports = createWebSocketStream;
