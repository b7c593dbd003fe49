/**
 * Types of ferrows for `require('ferrows')`. index.d.mts has the same types for the ES module.
 *
 * Code that compiles against @types/ws 8.18 compiles against this file: names and overloads are the same. In addition it
 * declares `closeTimeout`, `maxPendingAutoPongs`, the client's `protocols` option, the binary type `'blob'`, `shutdown`, `Receiver`,
 * `Sender`, `PerMessageDeflate`, `extension`, `subprotocol` and error codes.
 *
 * Sizes are in bytes, times in milliseconds. RFC 6455 and RFC 7692 define the bytes on the wire.
 */

/// <reference types="node" />

import { EventEmitter } from 'events';
import {
  Agent,
  ClientRequest,
  ClientRequestArgs,
  IncomingMessage,
  OutgoingHttpHeaders,
  Server as HTTPServer
} from 'http';
import { Server as HTTPSServer } from 'https';
import { createConnection } from 'net';
import { Duplex, DuplexOptions, Writable } from 'stream';
import { SecureContextOptions } from 'tls';
import { URL } from 'url';
import { ZlibOptions } from 'zlib';

/**
 * Data to send. A string is sent as text, a number as the text of its decimal digits, bytes unchanged, a `Blob` after reading
 * it. Other values are converted by `Buffer.from()`.
 */
type BufferLike =
  | string
  | number
  | Buffer
  | Uint8Array
  | DataView
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | Blob
  | readonly number[]
  | readonly any[]
  | { valueOf(): ArrayBuffer }
  | { valueOf(): SharedArrayBuffer }
  | { valueOf(): Uint8Array }
  | { valueOf(): readonly number[] }
  | { valueOf(): string }
  | { [Symbol.toPrimitive](hint: string): string };

/** A WebSocket connection of a client or a server. */
declare class WebSocket extends EventEmitter {
  /** `readyState` during the opening handshake. */
  static readonly CONNECTING: 0;
  /** `readyState` while messages can be sent and received. */
  static readonly OPEN: 1;
  /** `readyState` from the start of closing until the socket has closed. */
  static readonly CLOSING: 2;
  /** `readyState` once the socket has closed, just before the 'close' event. */
  static readonly CLOSED: 3;

  /** See the static member of the same name. */
  readonly CONNECTING: 0;
  /** See the static member of the same name. */
  readonly OPEN: 1;
  /** See the static member of the same name. */
  readonly CLOSING: 2;
  /** See the static member of the same name. */
  readonly CLOSED: 3;

  /**
   * The type of binary messages; text is always a Buffer in 'message' events. Unknown values are ignored on assignment. The
   * getter may also return `'blob'`, which its type omits so that the object is assignable to the WebSocket of @types/ws.
   *
   * @default 'nodebuffer'
   */
  get binaryType(): 'nodebuffer' | 'arraybuffer' | 'fragments';
  set binaryType(type: WebSocket.BinaryType);
  /**
   * Unsent bytes: frames that the kernel has not accepted, payloads queued behind an earlier one, and the payloads of messages
   * sent after closing began, which are never subtracted.
   */
  readonly bufferedAmount: number;
  /** Names of the negotiated extensions, separated by commas; `''` if there are none. */
  readonly extensions: string;
  /** True between `pause()` and `resume()`. */
  readonly isPaused: boolean;
  /** The negotiated subprotocol; `''` if there is none. */
  readonly protocol: string;
  /** The state of the connection. Never decreases. */
  readonly readyState:
    | typeof WebSocket.CONNECTING
    | typeof WebSocket.OPEN
    | typeof WebSocket.CLOSING
    | typeof WebSocket.CLOSED;
  /** The normalized URL of a client. Contrary to its type, `undefined` on a server. */
  readonly url: string;

  /** Listener for the 'open' event; anything that is not a function removes it. */
  onopen: ((event: WebSocket.Event) => void) | null;
  /** Listener for the 'error' event; anything that is not a function removes it. */
  onerror: ((event: WebSocket.ErrorEvent) => void) | null;
  /** Listener for the 'close' event; anything that is not a function removes it. */
  onclose: ((event: WebSocket.CloseEvent) => void) | null;
  /** Listener for the 'message' event; anything that is not a function removes it. */
  onmessage: ((event: WebSocket.MessageEvent) => void) | null;

  /** A WebSocket without a connection, as servers create it. `options` is required. */
  constructor(address: null, protocols?: undefined, options?: WebSocket.SocketOptions);
  /**
   * Connects to a server.
   *
   * @param address `ws:`, `wss:`, `http:`, `https:` or `ws+unix:<socket path>[:<request path>]`
   * @throws {SyntaxError} if the address or a subprotocol is invalid
   * @throws {RangeError} if the protocol version is neither 8 nor 13
   */
  constructor(address: string | URL, options?: WebSocket.ClientOptions | ClientRequestArgs);
  /**
   * Connects to a server and offers subprotocols in order of preference.
   *
   * @param protocols unique tokens (RFC 6455 §4.1)
   */
  constructor(
    address: string | URL,
    protocols?: string | string[],
    options?: WebSocket.ClientOptions | ClientRequestArgs
  );

  /**
   * Starts the closing handshake (RFC 6455 §7.1.2). The socket is destroyed if it has not closed after `closeTimeout`.
   *
   * @param code 1000-1003, 1007-1014 or 3000-4999; by default the close frame is empty
   * @param data the reason, at most 123 bytes of UTF-8
   * @throws {TypeError} if the code or the type of the reason is invalid
   * @throws {RangeError} if the reason is too long
   */
  close(code?: number, data?: string | Uint8Array): void;
  /** Destroys the socket immediately. Unsent data may be lost. */
  terminate(): void;

  /**
   * Sends a ping (RFC 6455 §5.5.2).
   *
   * @param data at most 125 bytes; or the callback
   * @param mask true to mask the frame; by default true for a client
   * @param cb called when the kernel has accepted the bytes, or with the error
   * @throws {Error} if the connection is not open yet
   * @throws {RangeError} if the data is too long
   */
  ping(data?: any, mask?: boolean, cb?: (err: Error) => void): void;
  /** Sends an unsolicited pong (RFC 6455 §5.5.3). Parameters and errors are those of `ping()`. */
  pong(data?: any, mask?: boolean, cb?: (err: Error) => void): void;

  /**
   * Sends a message. Do not change the data before `cb` is called: it may be read until then.
   *
   * @param cb called when the kernel has accepted the bytes, or with the error
   * @throws {Error} if the connection is not open yet
   * @throws {TypeError} if data of this type cannot be sent
   */
  send(data: BufferLike, cb?: (err?: Error) => void): void;
  send(
    data: BufferLike,
    options: WebSocket.SendOptions | null | undefined,
    cb?: (err?: Error) => void
  ): void;

  /** Stops reading the socket. Messages that have been parsed are still emitted. No effect while CONNECTING or CLOSED. */
  pause(): void;
  /** Continues reading the socket. No effect while CONNECTING or CLOSED. */
  resume(): void;

  /** Adds a listener, as in browsers. Types other than those of `WebSocketEventMap` are ignored. */
  addEventListener<K extends keyof WebSocket.WebSocketEventMap>(
    type: K,
    listener:
      | ((event: WebSocket.WebSocketEventMap[K]) => void)
      | { handleEvent(event: WebSocket.WebSocketEventMap[K]): void },
    options?: WebSocket.EventListenerOptions
  ): void;
  /** Removes a listener that `addEventListener()` added. */
  removeEventListener<K extends keyof WebSocket.WebSocketEventMap>(
    type: K,
    listener:
      | ((event: WebSocket.WebSocketEventMap[K]) => void)
      | { handleEvent(event: WebSocket.WebSocketEventMap[K]): void }
  ): void;

  /** The last event. Code 1005: the peer's close frame had none; 1006: the peer sent no close frame. */
  on(event: 'close', listener: (this: WebSocket, code: number, reason: Buffer) => void): this;
  /** At most once after 'open', followed by 'close'. Protocol errors have a `code` (see `ErrorCode`). */
  on(event: 'error', listener: (this: WebSocket, error: Error) => void): this;
  /** Client: the 101 response has been received, and not been validated. */
  on(event: 'upgrade', listener: (this: WebSocket, request: IncomingMessage) => void): this;
  /** A complete message. With binary type `'blob'` the data may also be a `Blob`: see `BlobData`. */
  on(
    event: 'message',
    listener: (this: WebSocket, data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  /** Client: the connection is open. */
  on(event: 'open', listener: (this: WebSocket) => void): this;
  /** With `maxBackpressure`: the queue has emptied below half of it. */
  on(event: 'drain', listener: (this: WebSocket) => void): this;
  /** With `maxBackpressure`: a message, or its first fragment, did not fit into the queue. */
  on(
    event: 'dropped',
    listener: (this: WebSocket, data: WebSocket.Data, isBinary: boolean) => void
  ): this;
  /** A ping, answered already if `autoPong` is set, or a pong. */
  on(event: 'ping' | 'pong', listener: (this: WebSocket, data: Buffer) => void): this;
  /** Client with `followRedirects`: the next request, before it is sent. */
  on(
    event: 'redirect',
    listener: (this: WebSocket, url: string, request: ClientRequest) => void
  ): this;
  /** Client: the response is not 101. With a listener, the request is not aborted. */
  on(
    event: 'unexpected-response',
    listener: (this: WebSocket, request: ClientRequest, response: IncomingMessage) => void
  ): this;
  on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;

  /** The same as `on()`, for one event. */
  once(event: 'close', listener: (this: WebSocket, code: number, reason: Buffer) => void): this;
  once(event: 'error', listener: (this: WebSocket, error: Error) => void): this;
  once(event: 'upgrade', listener: (this: WebSocket, request: IncomingMessage) => void): this;
  once(
    event: 'message',
    listener: (this: WebSocket, data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  once(event: 'open', listener: (this: WebSocket) => void): this;
  once(event: 'drain', listener: (this: WebSocket) => void): this;
  once(
    event: 'dropped',
    listener: (this: WebSocket, data: WebSocket.Data, isBinary: boolean) => void
  ): this;
  once(event: 'ping' | 'pong', listener: (this: WebSocket, data: Buffer) => void): this;
  once(
    event: 'redirect',
    listener: (this: WebSocket, url: string, request: ClientRequest) => void
  ): this;
  once(
    event: 'unexpected-response',
    listener: (this: WebSocket, request: ClientRequest, response: IncomingMessage) => void
  ): this;
  once(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;

  /** Removes a listener of `on()` or `once()`. */
  off(event: 'close', listener: (this: WebSocket, code: number, reason: Buffer) => void): this;
  off(event: 'error', listener: (this: WebSocket, error: Error) => void): this;
  off(event: 'upgrade', listener: (this: WebSocket, request: IncomingMessage) => void): this;
  off(
    event: 'message',
    listener: (this: WebSocket, data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  off(event: 'open', listener: (this: WebSocket) => void): this;
  off(event: 'drain', listener: (this: WebSocket) => void): this;
  off(
    event: 'dropped',
    listener: (this: WebSocket, data: WebSocket.Data, isBinary: boolean) => void
  ): this;
  off(event: 'ping' | 'pong', listener: (this: WebSocket, data: Buffer) => void): this;
  off(
    event: 'redirect',
    listener: (this: WebSocket, url: string, request: ClientRequest) => void
  ): this;
  off(
    event: 'unexpected-response',
    listener: (this: WebSocket, request: ClientRequest, response: IncomingMessage) => void
  ): this;
  off(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;

  /** The same as `on()`. */
  addListener(event: 'close', listener: (code: number, reason: Buffer) => void): this;
  addListener(event: 'error', listener: (error: Error) => void): this;
  addListener(event: 'upgrade', listener: (request: IncomingMessage) => void): this;
  addListener(
    event: 'message',
    listener: (data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  addListener(event: 'open', listener: () => void): this;
  addListener(event: 'drain', listener: () => void): this;
  addListener(event: 'dropped', listener: (data: WebSocket.Data, isBinary: boolean) => void): this;
  addListener(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
  addListener(event: 'redirect', listener: (url: string, request: ClientRequest) => void): this;
  addListener(
    event: 'unexpected-response',
    listener: (request: ClientRequest, response: IncomingMessage) => void
  ): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;

  /** The same as `off()`. */
  removeListener(event: 'close', listener: (code: number, reason: Buffer) => void): this;
  removeListener(event: 'error', listener: (error: Error) => void): this;
  removeListener(event: 'upgrade', listener: (request: IncomingMessage) => void): this;
  removeListener(
    event: 'message',
    listener: (data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  removeListener(event: 'open', listener: () => void): this;
  removeListener(event: 'drain', listener: () => void): this;
  removeListener(
    event: 'dropped',
    listener: (data: WebSocket.Data, isBinary: boolean) => void
  ): this;
  removeListener(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
  removeListener(event: 'redirect', listener: (url: string, request: ClientRequest) => void): this;
  removeListener(
    event: 'unexpected-response',
    listener: (request: ClientRequest, response: IncomingMessage) => void
  ): this;
  removeListener(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** The class under a name that the namespace below does not shadow. */
declare const WebSocketAlias: typeof WebSocket;
interface WebSocketAlias extends WebSocket {}

declare namespace WebSocket {
  /** The data of a 'message' event, unless the binary type is `'blob'`. Text is a Buffer of UTF-8. */
  type RawData = Buffer | ArrayBuffer | Buffer[];

  /** The data of a 'message' event with any binary type. Annotate a listener with it to receive blobs. */
  type BlobData = RawData | Blob;

  /** The data of a `MessageEvent`, unless the binary type is `'blob'`. Text is a string. */
  type Data = string | Buffer | ArrayBuffer | Buffer[];

  /**
   * The type of binary messages: a Buffer; an ArrayBuffer of the size of the message; an array with a Buffer for each non-empty
   * frame; a Blob without a type.
   */
  type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

  /** Certificates and keys in the form that Node accepts. */
  type CertMeta = string | string[] | Buffer | Buffer[];

  /** The `code` of an error caused by a peer that violates the protocol or a limit. "Sent" is the close status. */
  type ErrorCode =
    /** A fragmented control frame. Sent: 1002. */
    | 'WS_ERR_EXPECTED_FIN'
    /** An unmasked frame of a client. Sent: 1002. */
    | 'WS_ERR_EXPECTED_MASK'
    /** A close frame with a code that must not be sent. Sent: 1002. */
    | 'WS_ERR_INVALID_CLOSE_CODE'
    /** A control frame of more than 125 bytes, or a close frame of one byte. Sent: 1002. */
    | 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'
    /** A reserved opcode, or one that is invalid between fragments. Sent: 1002. */
    | 'WS_ERR_INVALID_OPCODE'
    /** Text or a close reason that is not valid UTF-8. Sent: 1007. */
    | 'WS_ERR_INVALID_UTF8'
    /** More than `maxFragments` or `maxBufferedChunks`. Sent: 1008. */
    | 'WS_ERR_TOO_MANY_BUFFERED_PARTS'
    /** A masked frame of a server. Sent: 1002. */
    | 'WS_ERR_UNEXPECTED_MASK'
    /** RSV1 is set without an extension that defines it. Sent: 1002. */
    | 'WS_ERR_UNEXPECTED_RSV_1'
    /** RSV2 or RSV3 is set. Sent: 1002. */
    | 'WS_ERR_UNEXPECTED_RSV_2_3'
    /** A payload length over 2^53 - 1. Sent: 1009. */
    | 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'
    /** A message over `maxPayload`. Sent: 1009. */
    | 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

  /** The error of an 'error' event after a violation of the protocol: a RangeError, or an Error for invalid UTF-8. */
  interface ProtocolError extends Error {
    code: ErrorCode;
  }

  /** Returns true to accept a handshake. A false value refuses it with 401. */
  type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (info: {
    origin: string;
    secure: boolean;
    req: Request;
  }) => boolean;

  /**
   * Calls `callback` with true to accept a handshake. A false value refuses it with `code` (by default 401), `message` as the
   * body and `headers`. Used if the function declares exactly two parameters.
   */
  type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
    info: { origin: string; secure: boolean; req: Request },
    callback: (res: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void
  ) => void;

  /** Modifies the request of the opening handshake before it is sent. Must call `request.end()`. */
  type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void;

  /** Options of a message. */
  interface SendOptions {
    /** True for a binary message; by default false for strings and numbers, true for other data. */
    binary?: boolean | undefined;
    /** True to compress, if compression was negotiated. That of the first fragment counts. @default true */
    compress?: boolean | undefined;
    /** True for the last fragment of a message. @default true */
    fin?: boolean | undefined;
    /** True to mask the frame; by default true for a client. */
    mask?: boolean | undefined;
  }

  /** Limits and behavior of an open connection, for both roles. */
  interface ConnectionOptions {
    /** `false`: at most one 'message', 'ping' or 'pong' event per macrotask. @default true */
    allowSynchronousEvents?: boolean | undefined;
    /** True to answer pings. @default true */
    autoPong?: boolean | undefined;
    /** True: a message beyond `maxBackpressure` terminates the connection. Not in ws. @default false */
    closeOnBackpressureLimit?: boolean | undefined;
    /** True: more than `maxMessagesPerSecond` or `maxBytesPerSecond` closes the connection with 1008. Not in ws. @default false */
    closeOnRateLimit?: boolean | undefined;
    /** Maximum duration of the closing handshake. @default 30000 */
    closeTimeout?: number | undefined;
    /**
     * Silence of the peer, in milliseconds, after which the connection is terminated; 0: no limit. Not in ws.
     * @default 0
     */
    idleTimeout?: number | undefined;
    /**
     * Maximum number of bytes queued for the peer; 0: no limit. A message that does not fit is dropped, with a 'dropped' event, or ends
     * the connection with `closeOnBackpressureLimit`. Not in ws.
     * @default 0
     */
    maxBackpressure?: number | undefined;
    /** Maximum number of buffered chunks of an incomplete frame; 0 or less: no limit. @default 262144 */
    maxBufferedChunks?: number | undefined;
    /** Bytes per second that the peer may send, frame headers included; 0: no limit. Not in ws. @default 0 */
    maxBytesPerSecond?: number | undefined;
    /** Maximum number of frames of a message; 0 or less: no limit. @default 16384 */
    maxFragments?: number | undefined;
    /**
     * Milliseconds after which an open connection is closed, with 1000 and `please reconnect`; 0: no limit. Not in ws.
     * @default 0
     */
    maxLifetime?: number | undefined;
    /** Messages per second that the peer may send; 0: no limit. Not in ws. @default 0 */
    maxMessagesPerSecond?: number | undefined;
    /** Maximum size of a message; 0 or less: no limit. @default 104857600 */
    maxPayload?: number | undefined;
    /**
     * Maximum number of unsent automatic pongs; one more terminates the connection. 0 or less: no limit.
     * @default 60
     */
    maxPendingAutoPongs?: number | undefined;
    /** With `idleTimeout`: true to ping a peer that is silent for half of it. Not in ws. @default true */
    sendPings?: boolean | undefined;
    /** True to skip UTF-8 validation of text messages and close reasons. @default false */
    skipUTF8Validation?: boolean | undefined;
    /**
     * The transport of plain sockets; others always use `'stream'`. The environment variable FERROWS_TRANSPORT takes
     * precedence. Other values throw a TypeError. Not in ws.
     * @default 'auto'
     */
    transport?: Transport | undefined;
  }

  /** `'auto'`: the event loop where possible, otherwise a stream; `'stream'` uses Node's stream. */
  type Transport = 'auto' | 'event_loop' | 'io_threads' | 'stream';

  /** Options of a WebSocket without an address. */
  interface SocketOptions extends ConnectionOptions {
    /** See `ClientOptions`. */
    generateMask?(mask: Buffer): void;
  }

  /** Options of a client. Others are passed to `http.request()` or `https.request()`. */
  interface ClientOptions extends SecureContextOptions, ConnectionOptions {
    /** Agent of the request; by default none. */
    agent?: Agent | undefined;
    checkServerIdentity?(servername: string, cert: CertMeta): boolean;
    /** Creates the socket, in place of `net.connect()` or `tls.connect()`. */
    createConnection?: typeof createConnection | undefined;
    /** True: the connection is not read before its first 'message' listener. Not in ws. @default false */
    deferReading?: boolean | undefined;
    family?: number | undefined;
    finishRequest?: FinishRequestCallback | undefined;
    /** @default false */
    followRedirects?: boolean | undefined;
    /** Fills in the masking key of each frame, 4 bytes; by default random bytes of the operating system. */
    generateMask?(mask: Buffer): void;
    /** Maximum time without activity during the handshake; by default no limit. */
    handshakeTimeout?: number | undefined;
    headers?: { [key: string]: string } | undefined;
    host?: string | undefined;
    localAddress?: string | undefined;
    /** Maximum number of redirects. @default 10 */
    maxRedirects?: number | undefined;
    /** The `Origin` header. */
    origin?: string | undefined;
    /** Offers compression: true, false, or its options. @default true */
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    /** No effect; declared because @types/ws declares it. */
    protocol?: string | undefined;
    /** Subprotocols to offer if the constructor has no `protocols` argument. */
    protocols?: string | string[] | undefined;
    /** 8 or 13. @default 13 */
    protocolVersion?: number | undefined;
    rejectUnauthorized?: boolean | undefined;
    servername?: string | undefined;
  }

  /** Parameters of permessage-deflate (RFC 7692 §7.1), and options of compression. */
  interface PerMessageDeflateOptions {
    /** `true`: the server resets its context after each message. `false` on a server: refuses offers that require it. */
    serverNoContextTakeover?: boolean | undefined;
    /** `true`: the client resets its context after each message. `false` on a client: refuses responses that require it. */
    clientNoContextTakeover?: boolean | undefined;
    /** Size of the server's window, 8 to 15 bits. */
    serverMaxWindowBits?: number | undefined;
    /** Size of the client's window, 8 to 15 bits. */
    clientMaxWindowBits?: number | undefined;
    /** Options of compression. `PerMessageDeflate` and `Sender` used alone pass all but `windowBits` to zlib. */
    zlibDeflateOptions?:
      | {
          /** No effect on connections. */
          flush?: number | undefined;
          /** No effect on connections. */
          finishFlush?: number | undefined;
          /** No effect on connections. */
          chunkSize?: number | undefined;
          /** No effect: the negotiated size counts. */
          windowBits?: number | undefined;
          /** 0 (no compression) to 9 (smallest); -1: a compromise of speed and size. @default -1 */
          level?: number | undefined;
          /** 1 to 9. @default 8 */
          memLevel?: number | undefined;
          /** 0 to 4: `zlib.constants.Z_DEFAULT_STRATEGY` to `Z_FIXED`. @default 0 */
          strategy?: number | undefined;
          /** Preset dictionary, shared with the peer. Connections ignore an array, zlib throws. */
          dictionary?: Buffer | Buffer[] | DataView | undefined;
          /** No effect on connections. */
          info?: boolean | undefined;
        }
      | undefined;
    /** Connections use only `dictionary`, that of the peer's compressor. */
    zlibInflateOptions?: ZlibOptions | undefined;
    /** Minimum size of messages to compress, if the sender resets its context after each message. @default 1024 */
    threshold?: number | undefined;
    /** Maximum of concurrent zlib jobs of `PerMessageDeflate` and `Sender` in the process. The first value counts. @default 10 */
    concurrencyLimit?: number | undefined;
  }

  /** The argument of listeners of `addEventListener()` and `on...` properties. Not an instance of the global `Event`. */
  interface Event {
    type: string;
    target: WebSocket;
  }

  /** The event of an error. */
  interface ErrorEvent {
    error: any;
    message: string;
    type: string;
    target: WebSocket;
  }

  /** The event of the end of a connection. */
  interface CloseEvent {
    /** True if both sides sent a close frame. */
    wasClean: boolean;
    code: number;
    reason: string;
    type: string;
    target: WebSocket;
  }

  /** The event of a message. With binary type `'blob'` the data may also be a Blob: see `BlobMessageEvent`. */
  interface MessageEvent {
    data: Data;
    type: string;
    target: WebSocket;
  }

  /** The event of a message with any binary type. Annotate a listener with it to receive blobs. */
  interface BlobMessageEvent {
    data: Data | Blob;
    type: string;
    target: WebSocket;
  }

  /** The event objects by type. */
  interface WebSocketEventMap {
    open: Event;
    error: ErrorEvent;
    close: CloseEvent;
    message: MessageEvent;
  }

  /** Options of `addEventListener()`. */
  interface EventListenerOptions {
    /** True to remove the listener when it is called. */
    once?: boolean | undefined;
  }

  /** Options of a server. Exactly one of `port`, `server` and `noServer` must be given. */
  interface ServerOptions<
    U extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    V extends typeof IncomingMessage = typeof IncomingMessage
  > extends ConnectionOptions {
    /**
     * Origins of pages that may connect; others get 403. Requests without an Origin, which no browser sends, are accepted unless a
     * function decides: only `true` accepts. Not in ws.
     */
    allowedOrigins?:
      | string
      | readonly (string | RegExp)[]
      | ((origin: string | undefined, request: InstanceType<V>) => boolean)
      | undefined;
    /** Maximum length of the queue of pending connections. @default 511 */
    backlog?: number | undefined;
    /** True to keep the set `clients`. @default true */
    clientTracking?: boolean | undefined;
    /** True: a connection is not read before its first 'message' listener. Not in ws. @default false */
    deferReading?: boolean | undefined;
    /** Selects one of the offered subprotocols, or none by `false`. By default the first. */
    handleProtocols?: (protocols: Set<string>, request: InstanceType<V>) => string | false;
    /**
     * Milliseconds for a client to send its request, with `port`, and for `verifyClient` to answer; then the client gets 408. 0: no
     * limit. Not in ws.
     * @default 0
     */
    handshakeTimeout?: number | undefined;
    /** Host name or IP address to listen on, with `port`. */
    host?: string | undefined;
    /** `true`: no HTTP server; the program calls `handleUpgrade()`. */
    noServer?: boolean | undefined;
    /** Accepts only requests for this path, compared without the query. */
    path?: string | undefined;
    /**
     * Accepts only requests for paths that match one of these patterns, in the syntax of `URLPattern`; see `PathRequest`. Other requests are
     * left to other servers of the HTTP server. Excludes `path`. Not in ws.
     */
    paths?: readonly string[] | undefined;
    /** Accepts offers of compression: true, false, or its options. @default false */
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    /** Creates an HTTP server that listens on this port; 0: any free one. */
    port?: number | undefined;
    /** An existing HTTP server to use. */
    server?: HTTPServer<V> | HTTPSServer<V> | undefined;
    verifyClient?:
      | VerifyClientCallbackAsync<InstanceType<V>>
      | VerifyClientCallbackSync<InstanceType<V>>
      | undefined;
    /** The class of the server's WebSockets. */
    WebSocket?: U | undefined;
  }

  /** A request that a server with the option `paths` has accepted. */
  interface PathRequest extends IncomingMessage {
    /** Values of the groups of the pattern, percent-encoded; `undefined` for an absent optional group. Not in ws. */
    pathParameters: Record<string, string | undefined>;
  }

  /** Options of `shutdown()`. */
  interface ShutdownOptions {
    /** Status of the close frames; by default Service Restart. @default 1012 */
    code?: number | undefined;
    /** Reason in the close frames, at most 123 bytes of UTF-8. @default '' */
    reason?: string | Uint8Array | undefined;
    /** Time over which connections are closed, evenly; 0: all at once. @default 10000 */
    over?: number | undefined;
    /** Time after its close frame when a connection that has not ended is terminated. @default 10000 */
    timeout?: number | undefined;
    /** Terminates all connections at once when it is aborted. */
    signal?: AbortSignal | undefined;
  }

  /** Numbers of connections by the way in which they ended. */
  interface ShutdownResult {
    /** Sent and received a close frame. */
    closed: number;
    /** Ended otherwise, before the timeout. */
    lost: number;
    /** Terminated after the timeout or by the signal. */
    terminated: number;
  }

  /**
   * Ends a server: accepts no more connections, lets HTTP requests finish, closes the open connections evenly over a time, sends queued
   * output, and terminates connections that do not end in time. Not in ws.
   *
   * @returns a promise that is fulfilled when the server has closed, and rejected if an argument is invalid
   */
  function shutdown(server: Server<any, any>, options?: ShutdownOptions): Promise<ShutdownResult>;

  /** The address of a server that listens on TCP. */
  interface AddressInfo {
    address: string;
    family: string;
    port: number;
  }

  /** Totals of a server since its creation. Bytes are those of frames, without the opening handshakes. */
  interface ServerStatistics {
    /** Open connections: those that have not emitted 'close'. */
    connections: number;
    /** All accepted connections. */
    connectionsOpened: number;
    /** Current transports of the open connections. */
    transports: { event_loop: number; io_threads: number; stream: number };
    /** 'message' events. This and the next three totals include closed connections. */
    messagesReceived: number;
    /** Messages sent, counted at their last fragment. */
    messagesSent: number;
    /** Bytes read from the sockets. */
    bytesReceived: number;
    /** Bytes accepted by the kernel, or by the socket over 'stream'. */
    bytesSent: number;
    /** Unsent bytes of the open connections. */
    queuedBytes: number;
  }

  /** A WebSocket server: performs opening handshakes and tracks connections. */
  class Server<
    T extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage
  > extends EventEmitter {
    /** The options, read at each handshake: changes apply to the following ones. */
    options: ServerOptions<T, U>;
    /** Never set: the path is `options.path`. Declared because @types/ws declares it. */
    path: string;
    /** The open connections; absent with `clientTracking: false`. */
    clients: Set<InstanceType<T>>;

    /**
     * @param callback called when a server with `port` listens
     * @throws {TypeError} unless exactly one of `port`, `server` and `noServer` is given
     */
    constructor(options?: ServerOptions<T, U>, callback?: () => void);

    /**
     * Returns the address of the HTTP server, or the path of its pipe; `null` once closed.
     *
     * @throws {Error} with `noServer`
     */
    address(): AddressInfo | string | null;
    /**
     * Stops accepting connections. Open ones stay open until the program or the peer closes them.
     *
     * @param cb called on 'close', or with an error if the server was closed already
     */
    close(cb?: (err?: Error) => void): void;
    /**
     * Performs an opening handshake (RFC 6455 §4.2). `callback` is called synchronously, unless `verifyClient` is asynchronous.
     * A refused handshake is answered on the socket, without calling `callback`.
     *
     * @throws {Error} if the socket was passed to `handleUpgrade()` before
     */
    handleUpgrade(
      request: InstanceType<U>,
      socket: Duplex,
      upgradeHead: Buffer,
      callback: (client: InstanceType<T>, request: InstanceType<U>) => void
    ): void;
    /**
     * Returns true to accept a request; by default compares the path. May be overridden. A Promise is a true value, and so
     * always accepts.
     */
    shouldHandle(request: InstanceType<U>): boolean | Promise<boolean>;
    /** Returns totals since the creation of the server. Walks over its open connections. Not in ws. */
    stats(): ServerStatistics;
    /** Sends the 101 response after all checks. For subclasses. */
    completeUpgrade(
      extensions: { [name: string]: ExtensionParameters[] },
      key: string,
      protocols: Set<string>,
      request: InstanceType<U>,
      socket: Duplex,
      head: Buffer,
      cb: (client: InstanceType<T>, request: InstanceType<U>) => void
    ): void;

    /** A completed handshake. With `noServer` the program emits it. */
    on(
      event: 'connection',
      cb: (this: Server<T>, websocket: InstanceType<T>, request: InstanceType<U>) => void
    ): this;
    /** An error of the HTTP server. */
    on(event: 'error', cb: (this: Server<T>, error: Error) => void): this;
    /** The lines of the 101 response, before they are written. The array may be changed. */
    on(
      event: 'headers',
      cb: (this: Server<T>, headers: string[], request: InstanceType<U>) => void
    ): this;
    /** The server has closed, or listens. */
    on(event: 'close' | 'listening', cb: (this: Server<T>) => void): this;
    /** An invalid handshake. The listener must answer it and close the socket. */
    on(
      event: 'wsClientError',
      cb: (this: Server<T>, error: Error, socket: Duplex, request: InstanceType<U>) => void
    ): this;
    on(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;

    /** The same as `on()`, for one event. */
    once(
      event: 'connection',
      cb: (this: Server<T>, websocket: InstanceType<T>, request: InstanceType<U>) => void
    ): this;
    once(event: 'error', cb: (this: Server<T>, error: Error) => void): this;
    once(
      event: 'headers',
      cb: (this: Server<T>, headers: string[], request: InstanceType<U>) => void
    ): this;
    once(event: 'close' | 'listening', cb: (this: Server<T>) => void): this;
    once(
      event: 'wsClientError',
      cb: (this: Server<T>, error: Error, socket: Duplex, request: InstanceType<U>) => void
    ): this;
    once(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;

    /** Removes a listener of `on()` or `once()`. */
    off(
      event: 'connection',
      cb: (this: Server<T>, websocket: InstanceType<T>, request: InstanceType<U>) => void
    ): this;
    off(event: 'error', cb: (this: Server<T>, error: Error) => void): this;
    off(
      event: 'headers',
      cb: (this: Server<T>, headers: string[], request: InstanceType<U>) => void
    ): this;
    off(event: 'close' | 'listening', cb: (this: Server<T>) => void): this;
    off(
      event: 'wsClientError',
      cb: (this: Server<T>, error: Error, socket: Duplex, request: InstanceType<U>) => void
    ): this;
    off(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;

    /** The same as `on()`. */
    addListener(
      event: 'connection',
      cb: (websocket: InstanceType<T>, request: InstanceType<U>) => void
    ): this;
    addListener(event: 'error', cb: (error: Error) => void): this;
    addListener(event: 'headers', cb: (headers: string[], request: InstanceType<U>) => void): this;
    addListener(event: 'close' | 'listening', cb: () => void): this;
    addListener(
      event: 'wsClientError',
      cb: (error: Error, socket: Duplex, request: InstanceType<U>) => void
    ): this;
    addListener(event: string | symbol, listener: (...args: any[]) => void): this;

    /** The same as `off()`. */
    removeListener(
      event: 'connection',
      cb: (websocket: InstanceType<T>, request: InstanceType<U>) => void
    ): this;
    removeListener(event: 'error', cb: (error: Error) => void): this;
    removeListener(
      event: 'headers',
      cb: (headers: string[], request: InstanceType<U>) => void
    ): this;
    removeListener(event: 'close' | 'listening', cb: () => void): this;
    removeListener(
      event: 'wsClientError',
      cb: (error: Error, socket: Duplex, request: InstanceType<U>) => void
    ): this;
    removeListener(event: string | symbol, listener: (...args: any[]) => void): this;
  }

  /** Another name of `Server`. */
  const WebSocketServer: typeof Server;
  interface WebSocketServer extends Server {}
  /** The class itself, for `const { WebSocket } = require('ferrows')`. */
  const WebSocket: typeof WebSocketAlias;
  interface WebSocket extends WebSocketAlias {}

  /**
   * Creates a Duplex over a connection. Each write sends a message, each message becomes a chunk. `end()` closes the
   * connection, `destroy()` terminates it.
   *
   * @param options of `stream.Duplex`; `readableObjectMode` keeps messages apart and reads text as strings,
   * `decodeStrings: false` sends strings as text
   */
  function createWebSocketStream(websocket: WebSocket, options?: DuplexOptions): Duplex;

  /** Options of a `Receiver`. By default there are no limits. */
  interface ReceiverOptions {
    /** @default true */
    allowSynchronousEvents?: boolean | undefined;
    /** @default 'nodebuffer' */
    binaryType?: BinaryType | undefined;
    /** Negotiated extensions by name, which inflate compressed messages. */
    extensions?: { [name: string]: PerMessageDeflate } | undefined;
    /** True if the bytes come from a client: frames must be masked. @default false */
    isServer?: boolean | undefined;
    maxBufferedChunks?: number | undefined;
    maxFragments?: number | undefined;
    maxPayload?: number | undefined;
    /** @default false */
    skipUTF8Validation?: boolean | undefined;
  }

  /** A Writable that parses the bytes of a connection and emits messages. Bytes after a close frame are ignored. */
  class Receiver extends Writable {
    constructor(options?: ReceiverOptions);

    /** A complete message. */
    on(event: 'message', listener: (data: RawData, isBinary: boolean) => void): this;
    /** A ping or a pong. */
    on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
    /** A close frame; code 1005 if it was empty. */
    on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
    /** A violation of the protocol or of a limit. */
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: string | symbol, listener: (...args: any[]) => void): this;

    /** The same as `on()`, for one event. */
    once(event: 'message', listener: (data: RawData, isBinary: boolean) => void): this;
    once(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
    once(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
    once(event: 'error', listener: (error: Error) => void): this;
    once(event: string | symbol, listener: (...args: any[]) => void): this;
  }

  /** Options of `Sender.frame()`. */
  interface FrameOptions {
    /** The FIN bit. */
    fin: boolean;
    /** 0 to 15 (RFC 6455 §5.2). */
    opcode: number;
    /** True to mask the payload. */
    mask?: boolean | undefined;
    /** True to mask a copy of the data. */
    readOnly?: boolean | undefined;
    /** The RSV1 bit. */
    rsv1?: boolean | undefined;
    /** Fills in the masking key, 4 bytes. */
    generateMask?: ((mask: Buffer) => void) | undefined;
    /** Receives the masking key, 4 bytes. */
    maskBuffer?: Buffer | undefined;
  }

  /** Writes frames to a stream. */
  class Sender {
    /**
     * @param extensions negotiated extensions by name
     * @param generateMask fills in the masking key of each frame, 4 bytes
     */
    constructor(
      socket: Duplex,
      extensions?: { [name: string]: PerMessageDeflate },
      generateMask?: (mask: Buffer) => void
    );

    /**
     * Builds a frame: `[header, payload]`, or `[frame]` if the payload was copied or is empty. With `mask` and without
     * `readOnly` the data is masked in place.
     */
    static frame(data: Buffer | string, options: FrameOptions): Buffer[];

    /** Sends a message or a fragment of one. */
    send(data: any, options: SendOptions, cb?: (err?: Error) => void): void;
    /** Sends a ping, at most 125 bytes. */
    ping(data: any, mask?: boolean, cb?: (err?: Error) => void): void;
    /** Sends a pong, at most 125 bytes. */
    pong(data: any, mask?: boolean, cb?: (err?: Error) => void): void;
    /** Sends a close frame. Codes, sizes and errors are those of `WebSocket.close()`. */
    close(
      code?: number,
      data?: string | Uint8Array,
      mask?: boolean,
      cb?: (err?: Error) => void
    ): void;
    /** Writes a frame of `Sender.frame()` without changing it. The same frame may be written to many sockets. */
    sendFrame(list: Buffer[], cb?: (err?: Error) => void): void;
  }

  /** Parameters of an extension offer. Each value is a string, or `true` for a parameter without a value. */
  interface ExtensionParameters {
    [parameter: string]: (string | true)[];
  }

  /** permessage-deflate (RFC 7692): negotiation, and compression by zlib, which connections do not use. */
  class PerMessageDeflate {
    /** `'permessage-deflate'` */
    static readonly extensionName: string;

    constructor(
      options?: PerMessageDeflateOptions & {
        /** @default false */
        isServer?: boolean | undefined;
        /** Maximum size of an inflated message; 0 or less: no limit. @default 0 */
        maxPayload?: number | undefined;
      }
    );

    /** The negotiated parameters; `null` until `accept()`. */
    readonly params: { [parameter: string]: boolean | number } | null;

    /** Returns the parameters that a client offers. */
    offer(): { [parameter: string]: boolean | number };
    /**
     * Accepts an offer of a client, or the response of a server.
     *
     * @throws {Error} if none is acceptable
     * @throws {TypeError} if a value is invalid
     */
    accept(configurations: ExtensionParameters[]): { [parameter: string]: boolean | number };
    /** Closes the zlib streams. The callback of a running job gets an error. */
    cleanup(): void;
    /** Compresses a fragment of a message; `fin`: the last one. */
    compress(
      data: Buffer | string,
      fin: boolean,
      callback: (err: Error | null, result?: Buffer) => void
    ): void;
    /** Inflates a fragment of a message; `fin`: the last one. */
    decompress(
      data: Buffer,
      fin: boolean,
      callback: (err: Error | null, result?: Buffer) => void
    ): void;
  }

  /** The `Sec-WebSocket-Extensions` header (RFC 6455 §9.1). */
  const extension: {
    /** Formats a header of offers by name. */
    format(extensions: {
      [name: string]:
        | { [parameter: string]: boolean | number | string | (boolean | number | string)[] }
        | { [parameter: string]: boolean | number | string | (boolean | number | string)[] }[];
    }): string;
    /**
     * Parses a header. Returns the offers by name, in an object without a prototype.
     *
     * @throws {SyntaxError} if the header is malformed
     */
    parse(header: string): { [name: string]: ExtensionParameters[] };
  };

  /** The `Sec-WebSocket-Protocol` header (RFC 6455 §11.3.4). */
  const subprotocol: {
    /**
     * Parses a header. Returns the names in order.
     *
     * @throws {SyntaxError} if the header is malformed or repeats a name
     */
    parse(header: string): Set<string>;
  };
}

export = WebSocket;
