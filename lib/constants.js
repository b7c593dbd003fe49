'use strict';

/*
 * Values that several modules of the shim share and that programs reading `lib/constants` expect.
 * Any module of lib/ may require it; it requires nothing. Values that describe the addon are in
 * native.js, texts of errors in errors.js.
 */

const hasBlob = typeof Blob !== 'undefined';

module.exports = {
  /** Accepted values of `binaryType`; the first is the default. */
  BINARY_TYPES: ['nodebuffer', 'arraybuffer', 'fragments', ...(hasBlob ? ['blob'] : [])],

  /** Default of `closeTimeout`, in milliseconds. */
  CLOSE_TIMEOUT: 30000,

  /** Defaults of what one connection may hold; 0 or less means unlimited. */
  DEFAULT_LIMITS: {
    maxBufferedChunks: 262144,
    maxFragments: 16384,
    maxPayload: 104857600,
    maxPendingAutoPongs: 60
  },

  EMPTY_BUFFER: Buffer.alloc(0),

  /** The GUID of RFC 6455, section 1.3. The accept key itself is made by the addon. */
  GUID: '258EAFA5-E914-47DA-95CA-C5AB0DC85B11',

  hasBlob,

  /** Values of `readyState`. */
  CONNECTING: 0,
  OPEN: 1,
  CLOSING: 2,
  CLOSED: 3,
  READY_STATES: ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'],

  /** Marks a listener that was set through an `on...` attribute. */
  kForOnEventAttribute: Symbol('kIsForOnEventAttribute'),
  /** The user's listener behind a wrapper made by addEventListener(). */
  kListener: Symbol('kListener'),
  /** The close status that an error asks to send to the peer. */
  kStatusCode: Symbol('status-code'),
  /** The WebSocket of a socket, a receiver or a sender. */
  kWebSocket: Symbol('websocket'),
  /** What frames and writes in the place of a Sender, if it is that of a connection. */
  kFrameWriter: Symbol('carrier'),
  /** The AsyncResource whose context the events of a client run in. */
  kAsyncResource: Symbol('async-resource'),
  /**
   * The transport of a WebSocket, and of a socket whose bytes the addon moves.
   *
   * @type {any} the types of these objects do not have it
   */
  kTransport: Symbol('transport'),

  NOOP: () => {},

  /** `_autoPongComplete` of a WebSocket that has not answered any ping; it has no name, as with ws. */
  AUTO_PONG_COMPLETE: (() => () => {})()
};
