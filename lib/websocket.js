'use strict';

/*
 * The WebSocket class: state, options, and what users call. The opening handshake of a client is in
 * client-handshake.js, that of a server in websocket-server.js; what happens on the connection is in
 * connection-events.js, sending in outgoing.js; bytes are moved by transport/.
 */

const EventEmitter = require('events');

const PerMessageDeflate = require('./permessage-deflate');
const diagnostics = require('./diagnostics');
const events = require('./connection/websocket-events');
const originals = require('./node/originals');
const Receiver = require('./receiver');
const Sender = require('./sender');
const { createConnectionReceiver, standForAddon } = require('./connection/receiver');
const { createConnectionSender } = require('./connection/sender');
const { AsyncContext } = require('./node/async-context');
const { abortHandshake, connect } = require('./client/handshake');
const { createError } = require('./errors');
const { isUntouched } = require('./socket/lazy-socket');
const { live, showLive } = require('./node/live-properties');
const { mixInto } = require('./event-target');
const { openTransport } = require('./transport');
const { sendControl, sendMessage } = require('./connection/send');
const { toNative } = require('./deflate/native-config');
const {
  AUTO_PONG_COMPLETE,
  BINARY_TYPES,
  CLOSED,
  CLOSING,
  CONNECTING,
  EMPTY_BUFFER,
  OPEN,
  READY_STATES,
  kAsyncResource,
  kFrameWriter,
  kTransport,
  kWebSocket
} = require('./constants');

/** The context of accepted connections: they come from the network, not from what runs when they are upgraded. */
const outside = new AsyncContext('WebSocket');

/** @typedef {((error?: Error | null) => void) | undefined} Callback */
/** @typedef {import('stream').Duplex & Record<string | symbol, any>} Socket */

/** @type {new () => EventEmitter & Record<string | symbol, any>} */
const Emitter = EventEmitter;

/** A property that enumeration, JSON and util.inspect() do not see. */
const HIDDEN = { configurable: true, enumerable: false, value: null, writable: true };

/**
 * The own properties `_receiver` and `_sender` of a WebSocket: made on first use, because most programs never look at
 * them.
 */
const LAZY = {
  _receiver: live(receiverOf, (ws, value) => replace(ws, '_receiver', value)),
  _sender: live(senderOf, (ws, value) => replace(ws, '_sender', value))
};

/*
 * Own string properties are those of ws, in its order: programs list, copy and log them, and put their own beside them.
 * Everything else is on the transport, which is reached by `[kTransport]`.
 */
class WebSocket extends Emitter {
  /**
   * @param {string | URL | null} address null: no connection is made; setSocket() gives one
   * @param {any} [protocols] subprotocols, a name or an array; an object is taken as `options`
   * @param {any} [options]
   * @throws {SyntaxError | RangeError | TypeError} on a bad URL, subprotocol or option
   */
  constructor(address, protocols, options) {
    super();
    /** @type {string} */
    this._binaryType = BINARY_TYPES[0];
    this._closeCode = 1006;
    this._closeFrameReceived = false;
    this._closeFrameSent = false;
    this._closeMessage = EMPTY_BUFFER;
    /** @type {any} */
    this._closeTimer = null;
    this._errorEmitted = false;
    /** @type {Record<string, any>} */
    this._extensions = {};
    this._paused = false;
    this._protocol = '';
    this._readyState = CONNECTING;
    Object.defineProperties(this, LAZY);
    /** @type {any} */
    this._socket = null;
    Object.defineProperty(this, kTransport, HIDDEN);

    if (address === null) {
      this._isServer = true;
    } else {
      this._bufferedAmount = 0;
      this._isServer = false;
      this._redirects = 0;
      // The async context that the events of a client run in.
      Object.defineProperty(this, kAsyncResource, {
        ...HIDDEN,
        value: new AsyncContext('WebSocket')
      });
      options = connect(this, address, protocols, options);
    }
    if (options.autoPong) {
      this._autoPong = true;
      /** Made by the first automatic pong. */
      this._autoPongComplete = AUTO_PONG_COMPLETE;
      this._pendingAutoPongs = 0;
      this._maxPendingAutoPongs = options.maxPendingAutoPongs | 0;
    }
    this._closeTimeout = options.closeTimeout;
  }

  /** Form of binary messages: 'nodebuffer', 'arraybuffer', 'fragments' or 'blob'. */
  get binaryType() {
    return this._binaryType;
  }

  set binaryType(type) {
    if (!BINARY_TYPES.includes(type)) return;
    this._binaryType = type;
    const transport = this[kTransport];
    if (!transport) return;
    transport.binaryType = type;
    if (transport.receiver) transport.receiver._binaryType = type;
  }

  /** Bytes that wait to be sent, and those of sends after closing. */
  get bufferedAmount() {
    if (!this._socket) return this._bufferedAmount;
    const transport = this[kTransport];
    return transport.bufferedAmount + (transport.sender?._bufferedBytes ?? 0);
  }

  /** Names of the negotiated extensions, joined by commas. */
  get extensions() {
    return Object.keys(this._extensions).join();
  }

  get isPaused() {
    return this._paused;
  }

  // Defined by mixInto(); here for their place among the others.

  get onclose() {
    return null;
  }

  get onerror() {
    return null;
  }

  get onopen() {
    return null;
  }

  get onmessage() {
    return null;
  }

  /** The negotiated subprotocol, or ''. */
  get protocol() {
    return this._protocol;
  }

  get readyState() {
    return this._readyState;
  }

  get url() {
    return this._url;
  }

  /**
   * Gives the WebSocket its connection and emits `open`.
   *
   * @param {Socket} socket any Duplex
   * @param {Buffer} head bytes that have already been read from it
   * @param {Object} options
   * @param {boolean} [options.allowSynchronousEvents]
   * @param {(key: Buffer) => void} [options.generateMask]
   * @param {number} [options.maxBufferedChunks]
   * @param {number} [options.maxFragments]
   * @param {number} [options.maxPayload]
   * @param {boolean} [options.skipUTF8Validation]
   * @param {string} [options.transport] who moves the bytes, see transport/choice.js
   */
  setSocket(socket, head, options) {
    const { allowSynchronousEvents = true, generateMask, maxBufferedChunks } = options;
    const { maxFragments, maxPayload, skipUTF8Validation } = options;
    const deflate = this._extensions[PerMessageDeflate.extensionName];
    /** @type {any} undefined: the addon parses */
    const parser =
      originals.receiver.hasOriginalParsing(Receiver) &&
      originals.deflate.hasOriginalDecompress(deflate)
        ? undefined
        : createConnectionReceiver(this, Receiver, {
            allowSynchronousEvents,
            binaryType: this.binaryType,
            extensions: this._extensions,
            isServer: this._isServer,
            maxBufferedChunks,
            maxFragments,
            maxPayload,
            skipUTF8Validation
          });

    // A socket may be no more than a Duplex.
    if (socket.setTimeout) socket.setTimeout(0);
    if (socket.setNoDelay) socket.setNoDelay();

    // Node moves the bytes of a parser: any call makes a net.Socket of an accepted one.
    if (parser !== undefined && isUntouched(socket)) socket.listenerCount('close');
    if (isUntouched(socket)) socket[kWebSocket] = this;
    else events.watchSocket(this, /** @type {any} */ (socket));
    const transport = openTransport(
      this,
      socket,
      head,
      {
        isServer: this._isServer,
        autoPong: canPongNatively(this, generateMask),
        maxBufferedChunks: /** @type {any} */ (maxBufferedChunks) | 0,
        maxFragments: /** @type {any} */ (maxFragments) | 0,
        maxPayload: /** @type {any} */ (maxPayload) | 0,
        maxPendingAutoPongs: this._maxPendingAutoPongs ?? 0,
        skipUTF8Validation: !!skipUTF8Validation,
        deflate: toNative(deflate)
      },
      !!allowSynchronousEvents,
      this[kAsyncResource] ?? outside.runInAsyncScope(() => new AsyncContext('WebSocket')),
      options.transport,
      parser
    );
    transport.binaryType = this.binaryType;
    transport.generateMask = generateMask;
    this[kTransport] = transport;
    this._socket = socket;
    // Tracers find the WebSocket of a message by its receiver.
    if (!originals.receiver.hasOriginalEvents()) receiverOf(this);
    if (!originals.sender.isOriginalClass(Sender)) senderOf(this);

    this._readyState = OPEN;
    // Of an accepted one the server tells, which knows the request.
    if (!this._isServer) diagnostics.publishOpen(this);
    this.emit('open');
  }

  /** Emits `close`, the last event. */
  emitClose() {
    const transport = this[kTransport];
    if (transport) {
      transport.sender?.[kFrameWriter]?.abandon?.();
      this._extensions[PerMessageDeflate.extensionName]?.cleanup();
      transport.receiver?.removeAllListeners();
    }
    this._readyState = CLOSED;
    if (transport) {
      transport.account?.remove(this);
      diagnostics.publishClose(this, this._closeCode, this._closeMessage);
    }
    this.emit('close', this._closeCode, this._closeMessage);
  }

  /**
   * Starts the closing handshake, or continues it: each side sends a close frame and ends its stream when it
   * has sent and received one.
   *
   * @param {number} [code] 1000 to 1003, 1007 to 1014, 3000 to 4999
   * @param {string | Uint8Array} [reason] up to 123 bytes; ignored without a code
   * @throws {TypeError | RangeError} on other arguments
   */
  close(code, reason) {
    const { readyState } = this;
    if (readyState === CLOSED) return;
    if (readyState === CONNECTING) {
      abortHandshake(this, this._req, createError('ABORTED'));
      return;
    }
    if (readyState === CLOSING) {
      endIfClosed(this);
      return;
    }

    this._sender.close(
      code,
      reason,
      !this._isServer,
      (/** @type {Error | null | undefined} */ error) => {
        // The socket has its own way to tell about the error.
        if (error) return;
        this._closeFrameSent = true;
        endIfClosed(this);
      }
    );
    this._readyState = CLOSING;
    events.armCloseTimer(this);
  }

  /** Stops reading. Events that have already been parsed may still come. */
  pause() {
    const { readyState } = this;
    if (readyState === CONNECTING || readyState === CLOSED) return;
    this._paused = true;
    this._socket.pause();
  }

  /**
   * @param {any} [data] up to 125 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback] called when the frame has left
   */
  ping(data, mask, callback) {
    sendControl(this, 'ping', data, mask, callback);
  }

  /**
   * @param {any} [data] up to 125 bytes
   * @param {boolean} [mask]
   * @param {Callback} [callback] called when the frame has left
   */
  pong(data, mask, callback) {
    sendControl(this, 'pong', data, mask, callback);
  }

  resume() {
    const { readyState } = this;
    if (readyState === CONNECTING || readyState === CLOSED) return;
    this._paused = false;
    if (!this[kTransport].isThrottled) this._socket.resume();
  }

  /**
   * Sends a message or a fragment of one.
   *
   * @param {any} data string (text), Blob, or anything that `Buffer.from()` takes (binary)
   * @param {any} [options] `binary`, `compress`, `fin`, `mask`
   * @param {Callback} [callback] called when it has left
   * @throws {Error} while connecting
   * @throws {TypeError} on data of another type
   */
  send(data, options, callback) {
    sendMessage(this, data, options, callback);
  }

  /** Destroys the socket. */
  terminate() {
    const { readyState } = this;
    if (readyState === CLOSED) return;
    if (readyState === CONNECTING) {
      abortHandshake(this, this._req, createError('ABORTED'));
      return;
    }
    if (this._socket) {
      this._readyState = CLOSING;
      this._socket.destroy();
    }
  }
}

const { pong } = WebSocket.prototype;

originals.websocket = { hasOriginalPong: (websocket) => websocket.pong === pong };

READY_STATES.forEach((name, value) => {
  Object.defineProperty(WebSocket, name, { enumerable: true, value });
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true, value });
});

for (const name of [
  'binaryType',
  'bufferedAmount',
  'extensions',
  'isPaused',
  'protocol',
  'readyState',
  'url'
]) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}

mixInto(WebSocket.prototype);
showLive(WebSocket.prototype, LAZY);

/**
 * An assignment to `_receiver` or `_sender`.
 *
 * @param {any} ws a WebSocket, or an object derived from one
 * @param {'_receiver' | '_sender'} name
 * @param {any} value
 */
function replace(ws, name, value) {
  if (!Object.hasOwn(ws, kTransport)) {
    Object.defineProperty(ws, name, {
      configurable: true,
      enumerable: true,
      value,
      writable: true
    });
  } else if (ws[kTransport]) {
    ws[kTransport][name === '_sender' ? 'sender' : 'receiver'] = value;
  }
}

/**
 * @param {any} ws
 * @returns {any} its Receiver; null before there is a connection
 */
function receiverOf(ws) {
  const transport = ws[kTransport];
  if (!transport) return null;
  if (transport.receiver === null) {
    const { isSynchronous, options, websocket } = transport;
    const receiver = createConnectionReceiver(websocket, Receiver, {
      ...options,
      allowSynchronousEvents: isSynchronous,
      binaryType: transport.binaryType,
      extensions: websocket._extensions
    });
    standForAddon(receiver, transport);
    events.disableThreadPongs(transport);
  }
  return transport.receiver;
}

/**
 * @param {any} ws
 * @returns {any} its Sender; null before there is a connection
 */
function senderOf(ws) {
  const transport = ws[kTransport];
  if (!transport) return null;
  return (transport.sender ??= createConnectionSender(transport, Sender));
}

/**
 * Whether the addon may answer pings: no user code would see it answer.
 *
 * @param {WebSocket} ws
 * @param {unknown} generateMask
 * @returns {boolean}
 */
function canPongNatively(ws, generateMask) {
  return (
    ws._autoPong === true &&
    generateMask === undefined &&
    originals.websocket.hasOriginalPong(ws) &&
    originals.sender.hasOriginalControl(null, 'pong')
  );
}

/**
 * Ends the stream if close frames have gone both ways, or ours after an error.
 *
 * @param {WebSocket} ws
 */
function endIfClosed(ws) {
  if (!ws._closeFrameSent || !(ws._closeFrameReceived || ws[kTransport].hasFailed)) return;
  ws._socket.end();
}

module.exports = WebSocket;
