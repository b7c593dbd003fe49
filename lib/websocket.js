'use strict';

/*
 * The WebSocket class: state, options, and what users call. The opening handshake of a client is in
 * client-handshake.js, that of a server in websocket-server.js; what happens on the connection is in
 * connection-events.js, sending in outgoing.js; bytes are moved by transport/.
 */

const EventEmitter = require('events');

const PerMessageDeflate = require('./permessage-deflate');
const diagnostics = require('./diagnostics');
const events = require('./connection-events');
const { ConnectionReceiver, isReceiverPatched } = require('./connection-receiver');
const { ConnectionSender } = require('./connection-sender');
const { AsyncContext } = require('./async-context');
const { abortHandshake, connect } = require('./client-handshake');
const { createError } = require('./errors');
const { isUntouched } = require('./transport/accepted-socket');
const { mixInto } = require('./event-target');
const { openTransport } = require('./transport');
const { sendControl, sendMessage } = require('./outgoing');
const { toNative } = require('./deflate-native');
const {
  BINARY_TYPES,
  CLOSED,
  CLOSING,
  CONNECTING,
  EMPTY_BUFFER,
  NOOP,
  OPEN,
  READY_STATES,
  kAsyncResource,
  kTransport,
  kWebSocket
} = require('./constants');

/** The context of accepted connections: they come from the network, not from what runs when they are upgraded. */
const outside = new AsyncContext('WebSocket');

/** What most connections have agreed on: one object for all of them. */
const NO_EXTENSIONS = Object.freeze({});

/** @typedef {((error?: Error | null) => void) | undefined} Callback */
/** @typedef {import('stream').Duplex & Record<string | symbol, any>} Socket */

/** @type {new () => EventEmitter & Record<string | symbol, any>} */
const Emitter = EventEmitter;

/** A property that enumeration, JSON and util.inspect() do not see. */
const HIDDEN = { configurable: true, enumerable: false, value: null, writable: true };

/**
 * The own properties `_receiver` and `_sender` of a WebSocket: made on first use, because most programs never look at
 * them. The descriptors are shared, so that all WebSockets have one hidden class.
 */
const RECEIVER = {
  configurable: true,
  enumerable: true,
  /** @this {any} */
  get() {
    return receiverOf(this);
  },
  /**
   * @this {object}
   * @param {any} value
   */
  set(value) {
    replace(this, '_receiver', value);
  }
};
const SENDER = {
  configurable: true,
  enumerable: true,
  /** @this {any} */
  get() {
    return senderOf(this);
  },
  /**
   * @this {object}
   * @param {any} value
   */
  set(value) {
    replace(this, '_sender', value);
  }
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
    this._extensions = NO_EXTENSIONS;
    this._paused = false;
    this._protocol = '';
    this._readyState = CONNECTING;
    Object.defineProperty(this, '_receiver', RECEIVER);
    Object.defineProperty(this, '_sender', SENDER);
    /** @type {any} */
    this._socket = null;
    Object.defineProperty(this, kTransport, HIDDEN);

    if (address === null) {
      this._isServer = true;
    } else {
      this._bufferedAmount = 0;
      this._isServer = false;
      this._redirects = 0;
      /** @type {string | undefined} */
      this._url = undefined;
      /** @type {import('http').ClientRequest | null} */
      this._req = null;
      // The async context that the events of a client run in.
      Object.defineProperty(this, kAsyncResource, {
        ...HIDDEN,
        value: new AsyncContext('WebSocket')
      });
      options = connect(this, address, protocols, options);
    }
    this._autoPong = !!options.autoPong;
    /** Bound by the first automatic pong. */
    this._autoPongComplete = NOOP;
    this._pendingAutoPongs = 0;
    this._maxPendingAutoPongs = options.maxPendingAutoPongs | 0;
    this._closeTimeout = options.closeTimeout;
  }

  /** Form of binary messages: 'nodebuffer', 'arraybuffer', 'fragments' or 'blob'. */
  get binaryType() {
    return this._binaryType;
  }

  set binaryType(type) {
    if (BINARY_TYPES.includes(type)) this._binaryType = type;
  }

  /** Bytes that wait to be sent, and those of sends after closing. */
  get bufferedAmount() {
    const transport = this[kTransport];
    if (!transport) return this._bufferedAmount;
    return transport.bufferedAmount + (transport.sender?._bufferedBytes ?? 0);
  }

  /** Names of the negotiated extensions, joined by commas. */
  get extensions() {
    return Object.keys(this._extensions).join();
  }

  get isPaused() {
    return this._paused;
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
    const { allowSynchronousEvents = true, generateMask } = options;
    // A socket may be no more than a Duplex.
    if (socket.setTimeout) socket.setTimeout(0);
    if (socket.setNoDelay) socket.setNoDelay();

    if (isUntouched(socket)) socket[kWebSocket] = this;
    else events.watchSocket(this, /** @type {any} */ (socket));
    const transport = openTransport(
      this,
      socket,
      head,
      {
        isServer: this._isServer,
        autoPong: canPongNatively(this, generateMask),
        maxBufferedChunks: Number(options.maxBufferedChunks) | 0,
        maxFragments: Number(options.maxFragments) | 0,
        maxPayload: Number(options.maxPayload) | 0,
        maxPendingAutoPongs: this._maxPendingAutoPongs,
        skipUTF8Validation: !!options.skipUTF8Validation,
        deflate: toNative(this._extensions[PerMessageDeflate.extensionName])
      },
      !!allowSynchronousEvents,
      this[kAsyncResource] ?? outside.runInAsyncScope(() => new AsyncContext('WebSocket')),
      options.transport
    );
    transport.generateMask = generateMask;
    this[kTransport] = transport;
    this._socket = socket;
    // Tracers find the WebSocket of a message by its receiver.
    if (isReceiverPatched()) void this._receiver;

    this._readyState = OPEN;
    // Of an accepted one the server tells, which knows the request.
    if (!this._isServer) diagnostics.publishOpen(this);
    this.emit('open');
  }

  /** Emits `close`, the last event. */
  emitClose() {
    const transport = this[kTransport];
    if (transport) {
      transport.sender?.abandon();
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
    if (this._readyState === CLOSED) return;
    if (this._readyState === CONNECTING) {
      abortHandshake(this, this._req, createError('ABORTED'));
      return;
    }
    if (this._readyState === CLOSING) {
      endIfClosed(this);
      return;
    }

    const sender = /** @type {InstanceType<typeof ConnectionSender>} */ (this._sender);
    sender.close(code, reason, !this._isServer, (error) => {
      // The socket has its own way to tell about the error.
      if (error) return;
      this._closeFrameSent = true;
      endIfClosed(this);
    });
    this._readyState = CLOSING;
    events.armCloseTimer(this);
  }

  /** Stops reading. Events that have already been parsed may still come. */
  pause() {
    if (this._readyState === CONNECTING || this._readyState === CLOSED) return;
    this._paused = true;
    this._socket.pause();
  }

  resume() {
    if (this._readyState === CONNECTING || this._readyState === CLOSED) return;
    this._paused = false;
    if (!this[kTransport].isThrottled) this._socket.resume();
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
    if (this._readyState === CLOSED) return;
    if (this._readyState === CONNECTING) {
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

// An assignment to `pong` must be noticed: the addon then leaves the answers to user code.
Object.defineProperty(WebSocket.prototype, 'pong', {
  configurable: true,
  enumerable: false,
  get() {
    return pong;
  },
  /**
   * @this {WebSocket}
   * @param {any} value
   */
  set(value) {
    replace(this, 'pong', value);
    if (this !== WebSocket.prototype) choosePongs(this);
  }
});

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

/**
 * Makes an accessor of the prototype a plain property of `target`.
 *
 * @param {object} target
 * @param {string} name
 * @param {any} value
 */
function replace(target, name, value) {
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: true,
    value,
    writable: true
  });
}

/**
 * @param {any} ws
 * @returns {InstanceType<typeof ConnectionReceiver> | null} null before there is a connection
 */
function receiverOf(ws) {
  const transport = ws[kTransport];
  if (!transport) return null;
  if (transport.receiver === null) {
    transport.receiver = new ConnectionReceiver(ws);
    choosePongs(ws);
  }
  return transport.receiver;
}

/**
 * @param {any} ws
 * @returns {InstanceType<typeof ConnectionSender> | null} null before there is a connection
 */
function senderOf(ws) {
  const transport = ws[kTransport];
  if (!transport) return null;
  return (transport.sender ??= new ConnectionSender(ws));
}

/**
 * Whether the addon may answer pings: no user code would see it answer.
 *
 * @param {WebSocket} ws
 * @param {unknown} generateMask
 * @returns {boolean}
 */
function canPongNatively(ws, generateMask) {
  return ws._autoPong && generateMask === undefined && ws.pong === pong;
}

/** @param {WebSocket} ws */
function choosePongs(ws) {
  const transport = ws[kTransport];
  if (!transport) return;
  const mayPong = transport.receiver === null && canPongNatively(ws, transport.generateMask);
  transport.connection.setAutoPong(mayPong);
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
