'use strict';

/*
 * The WebSocket class: its state, options and methods. The opening handshake is client/handshake.js or websocket-server.js,
 * reactions to the connection are connection/websocket-events.js, sending is connection/send.js. transport/ moves the bytes.
 */

const EventEmitter = require('events');

const PerMessageDeflate = require('./permessage-deflate');
const diagnostics = require('./diagnostics');
const events = require('./connection/websocket-events');
const originals = require('./node/originals');
const Receiver = require('./receiver');
const Sender = require('./sender');
const { createConnectionReceiver, standForAddon } = require('./connection/receiver');
const { createConnectionSender, sendClose } = require('./connection/sender');
const { AsyncContext } = require('./node/async-context');
const { abortHandshake, connect } = require('./client/handshake');
const { createError } = require('./errors');
const { isLazy } = require('./socket/lazy-socket');
const { defineVisible } = require('./node/define');
const { live, showLive } = require('./node/live-properties');
const { mixInto } = require('./event-target');
const { shouldDefer, startAtFirstListener } = require('./connection/deferred-reading');
const { limitConnection } = require('./connection/limits');
const { maxReadOf } = require('./connection/rate-limit');
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

/** The async context of accepted connections: the network, not the code that runs during their upgrade. */
const networkContext = new AsyncContext('WebSocket');

/** Creates objects like `{}`, without 32 bytes of room for properties. @type {any} */
const PlainObject = function () {};
PlainObject.prototype = Object.prototype;

/** @typedef {((error?: Error | null) => void) | undefined} Callback */
/** @typedef {import('stream').Duplex & Record<string | symbol, any>} Socket */

/** @type {new () => EventEmitter & Record<string | symbol, any>} */
const Emitter = EventEmitter;

/** A property hidden from enumeration, JSON and util.inspect(). */
const HIDDEN = { configurable: true, enumerable: false, value: null, writable: true };

/** The own properties `_receiver` and `_sender`. Their objects are created on first use: most programs never read them. */
const LAZY = {
  _receiver: live(receiverOf, (ws, value) => replace(ws, '_receiver', value)),
  _sender: live(senderOf, (ws, value) => replace(ws, '_sender', value))
};

/** Own properties that are defined, not assigned, of accepted and of connecting WebSockets. One call costs less than several. */
const DEFINED_BY_SERVER = { ...LAZY, [kTransport]: HIDDEN };
const DEFINED_BY_CLIENT = { ...DEFINED_BY_SERVER, [kAsyncResource]: HIDDEN };

/*
 * Own string properties are those of ws, in its order: programs list, copy, log and extend them. All other state is on the
 * transport, under `[kTransport]`.
 */
class WebSocket extends Emitter {
  /**
   * @param {string | URL | null} address null: no handshake; setSocket() provides the connection
   * @param {any} [protocols] subprotocol, or an array of them; an object is taken as `options`
   * @param {any} [options]
   * @throws {SyntaxError} on an invalid URL or subprotocol
   * @throws {RangeError | TypeError} on an invalid option
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
    this._extensions = new PlainObject();
    this._paused = false;
    this._protocol = '';
    this._readyState = CONNECTING;
    Object.defineProperties(this, address === null ? DEFINED_BY_SERVER : DEFINED_BY_CLIENT);
    /** @type {any} */
    this._socket = null;

    if (address === null) {
      this._isServer = true;
    } else {
      this._bufferedAmount = 0;
      this._isServer = false;
      this._redirects = 0;
      // Events of a client run in the async context of the constructor.
      /** @type {any} */ (this)[kAsyncResource] = new AsyncContext('WebSocket');
      options = connect(this, address, protocols, options);
    }
    if (options.autoPong) {
      this._autoPong = true;
      /** Replaced by the first automatic pong. */
      this._autoPongComplete = AUTO_PONG_COMPLETE;
      this._pendingAutoPongs = 0;
      this._maxPendingAutoPongs = options.maxPendingAutoPongs | 0;
    }
    this._closeTimeout = options.closeTimeout;
  }

  /** Type of binary messages: 'nodebuffer', 'arraybuffer', 'fragments' or 'blob'. Other values are ignored. */
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

  /** Unsent bytes, and payload bytes passed to send() after closing began. */
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

  // Redefined by mixInto(). Declared here for the order of properties.

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
   * Attaches the connection after the opening handshake, and emits `open`.
   *
   * @param {Socket} socket any Duplex
   * @param {Buffer} head bytes that have been read behind the handshake
   * @param {Object} options
   * @param {boolean} [options.allowSynchronousEvents]
   * @param {boolean} [options.deferReading]
   * @param {(key: Buffer) => void} [options.generateMask]
   * @param {import('./connection/limits').Limits} [options.limits] present if one of them is set
   * @param {number} [options.maxBufferedChunks]
   * @param {number} [options.maxFragments]
   * @param {number} [options.maxPayload]
   * @param {boolean} [options.skipUTF8Validation]
   * @param {import('./transport/time-limits').TimeLimits} [options.timeLimits]
   * @param {string} [options.transport] see transport/mode.js
   */
  setSocket(socket, head, options) {
    const { allowSynchronousEvents = true, generateMask, maxBufferedChunks } = options;
    const { limits, maxFragments, maxPayload, skipUTF8Validation } = options;
    const deflate = this._extensions[PerMessageDeflate.extensionName];
    /** @type {any} the Receiver that parses; undefined: the addon parses */
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

    // Methods of net.Socket, which other Duplex streams lack.
    if (socket.setTimeout) socket.setTimeout(0);
    if (socket.setNoDelay) socket.setNoDelay();

    // A Receiver that parses needs a net.Socket: any call of listenerCount() materializes a lazy socket.
    if (parser !== undefined && isLazy(socket)) socket.listenerCount('close');
    if (isLazy(socket)) socket[kWebSocket] = this;
    else events.watchSocket(this, /** @type {any} */ (socket));
    const isDeferred = shouldDefer(this, options);
    const transport = openTransport(
      this,
      socket,
      head,
      {
        isServer: this._isServer,
        // Of I/O threads only, see NativeTransport.allowPongs().
        autoPong: false,
        maxBufferedChunks: /** @type {any} */ (maxBufferedChunks) | 0,
        maxFragments: /** @type {any} */ (maxFragments) | 0,
        maxPayload: /** @type {any} */ (maxPayload) | 0,
        maxPendingAutoPongs: this._maxPendingAutoPongs ?? 0,
        skipUTF8Validation: !!skipUTF8Validation,
        deflate: toNative(deflate),
        maxRead: limits === undefined ? undefined : maxReadOf(limits),
        timeLimits: options.timeLimits
      },
      !!allowSynchronousEvents,
      this[kAsyncResource] ?? networkContext.runInAsyncScope(() => new AsyncContext('WebSocket')),
      options.transport,
      parser,
      isDeferred
    );
    transport.binaryType = this.binaryType;
    transport.generateMask = generateMask;
    this[kTransport] = transport;
    this._socket = socket;
    if (isDeferred) startAtFirstListener(this);
    if (limits !== undefined) limitConnection(transport, limits);
    // Tracers find the WebSocket of a message by its Receiver or Sender, and observe their constructors.
    if (!originals.receiver.hasOriginalEvents()) receiverOf(this);
    if (!originals.sender.isOriginalClass(Sender)) senderOf(this);

    this._readyState = OPEN;
    // The server publishes accepted connections, with their request.
    if (!this._isServer) diagnostics.publishOpen(this);
    this.emit('open');
  }

  /** Emits `close`, the last event. */
  emitClose() {
    const transport = this[kTransport];
    if (transport) {
      transport.sender?.[kFrameWriter]?.abortCompression?.();
      this._extensions[PerMessageDeflate.extensionName]?.cleanup();
      transport.receiver?.removeAllListeners();
    }
    this._readyState = CLOSED;
    if (transport) {
      transport.statistics?.remove(this);
      diagnostics.publishClose(this, this._closeCode, this._closeMessage);
    }
    this.emit('close', this._closeCode, this._closeMessage);
  }

  /**
   * Starts or continues the closing handshake (RFC 6455, section 7.1.2): each side sends a close frame, and ends its stream
   * when it has sent and received one.
   *
   * @param {number} [code] 1000 to 1003, 1007 to 1014, 3000 to 4999
   * @param {string | Uint8Array} [reason] at most 123 bytes; ignored without a code
   * @throws {TypeError | RangeError} on an invalid code or reason
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

    sendClose(this, code, reason, (error) => {
      // The socket emits the error.
      if (error) return;
      this._closeFrameSent = true;
      endIfClosed(this);
    });
    this._readyState = CLOSING;
    events.armCloseTimer(this);
  }

  /** Stops reading the socket. Messages that have been parsed may still be emitted. */
  pause() {
    const { readyState } = this;
    if (readyState === CONNECTING || readyState === CLOSED) return;
    this._paused = true;
    this._socket.pause();
  }

  /**
   * Sends a ping (RFC 6455, section 5.5.2).
   *
   * @param {any} [data] at most 125 bytes
   * @param {boolean} [mask] by default true for a client
   * @param {Callback} [callback] called when the frame has been written, or with the error
   * @throws {Error} while connecting
   */
  ping(data, mask, callback) {
    sendControl(this, 'ping', data, mask, callback);
  }

  /**
   * Sends an unsolicited pong (RFC 6455, section 5.5.3). Parameters and errors are those of ping().
   *
   * @param {any} [data]
   * @param {boolean} [mask]
   * @param {Callback} [callback]
   */
  pong(data, mask, callback) {
    sendControl(this, 'pong', data, mask, callback);
  }

  /** Continues reading the socket. */
  resume() {
    const { readyState } = this;
    if (readyState === CONNECTING || readyState === CLOSED) return;
    this._paused = false;
    if (this[kTransport].canRead) this._socket.resume();
  }

  /**
   * Sends a message or a fragment of one.
   *
   * @param {any} data string (text), Blob, or anything that `Buffer.from()` takes (binary)
   * @param {any} [options] `binary`, `compress`, `fin`, `mask`
   * @param {Callback} [callback] called when it has been written, or with the error
   * @throws {Error} while connecting
   * @throws {TypeError} on data of another type
   */
  send(data, options, callback) {
    sendMessage(this, data, options, callback);
  }

  /** Destroys the socket, or aborts the opening handshake. */
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
 * Handles an assignment to `_receiver` or `_sender`.
 *
 * @param {any} ws a WebSocket, or an object derived from one
 * @param {'_receiver' | '_sender'} name
 * @param {any} value
 */
function replace(ws, name, value) {
  if (!Object.hasOwn(ws, kTransport)) {
    defineVisible(ws, name, value);
  } else if (ws[kTransport]) {
    ws[kTransport][name === '_sender' ? 'sender' : 'receiver'] = value;
  }
}

/** @param {any} ws @returns {any} its Receiver, created on first use; null without a connection */
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

/** @param {any} ws @returns {any} its Sender, created on first use; null without a connection */
function senderOf(ws) {
  const transport = ws[kTransport];
  if (!transport) return null;
  return (transport.sender ??= createConnectionSender(transport, Sender));
}

/**
 * Ends the socket once close frames have been sent and received, or one has been sent after a protocol error.
 *
 * @param {WebSocket} ws
 */
function endIfClosed(ws) {
  if (!ws._closeFrameSent || !(ws._closeFrameReceived || ws[kTransport].hasFailed)) return;
  ws._socket.end();
}

module.exports = WebSocket;
