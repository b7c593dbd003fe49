'use strict';

/*
 * Values that several modules share, with the names of ws's `lib/constants`, which programs read. Requires no module. Constants
 * of the addon are in native.js, error messages in errors.js.
 */

const hasBlob = typeof Blob !== 'undefined';

module.exports = {
  /** Accepted values of `binaryType`; the first is the default. */
  BINARY_TYPES: ['nodebuffer', 'arraybuffer', 'fragments', ...(hasBlob ? ['blob'] : [])],

  /** Default of `closeTimeout`, in milliseconds. */
  CLOSE_TIMEOUT: 30000,

  /** Default limits of a connection; 0 or less means unlimited. `maxPayload` is in bytes. */
  DEFAULT_LIMITS: {
    maxBufferedChunks: 262144,
    maxFragments: 16384,
    maxPayload: 104857600,
    maxPendingAutoPongs: 60
  },

  EMPTY_BUFFER: Buffer.alloc(0),

  /** The GUID of RFC 6455, section 1.3. Unused here: the addon computes the accept key. */
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
  /** The program's listener, on the wrapper that addEventListener() adds. */
  kListener: Symbol('kListener'),
  /** The close status to send for an error. */
  kStatusCode: Symbol('status-code'),
  /** The WebSocket of a socket, a receiver or a sender. */
  kWebSocket: Symbol('websocket'),
  /** The FrameWriter of a connection's Sender; see connection/sender.js. */
  kFrameWriter: Symbol('frame-writer'),
  /** The async context in which the events of a client run. */
  kAsyncResource: Symbol('async-resource'),
  /**
   * The transport of a WebSocket, or of a socket whose bytes the addon moves.
   *
   * @type {any} not in the types of these objects
   */
  kTransport: Symbol('transport'),
  /**
   * The state of a WebSocketServer that one of ws does not have. Hidden, so that it collides with no property of a program.
   *
   * @type {any} not in the types of these objects
   */
  kServer: Symbol('server'),

  NOOP: () => {},

  /** `_autoPongComplete` before the first automatic pong; a function without a name, as in ws. */
  AUTO_PONG_COMPLETE: (() => () => {})()
};
