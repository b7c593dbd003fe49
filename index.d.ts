/**
 * Types of ferrows, for `require('ferrows')`. The ES module's types, index.d.mts, are these under other names.
 *
 * What compiles against @types/ws 8.18 compiles against this file: the names and the shapes of the overloads are
 * the same. What that package leaves out is declared too: `closeTimeout`, `maxPendingAutoPongs`, the client's
 * `protocols` option, the binary type `'blob'`, `Receiver`, `Sender`, `PerMessageDeflate`, `extension`,
 * `subprotocol` and the codes of errors.
 *
 * Sizes are in bytes, times in milliseconds. What an item does on the wire is said by RFC 6455 and RFC 7692.
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
 * What can be sent. A string goes out as text and a number as the text of its decimal digits; bytes go out as they
 * are; a `Blob` is read first; anything else goes through `Buffer.from()`.
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

/** One WebSocket connection, client's or server's. */
declare class WebSocket extends EventEmitter {
  /** `readyState` until the opening handshake is done. */
  static readonly CONNECTING: 0;
  /** `readyState` while messages can be sent and received. */
  static readonly OPEN: 1;
  /** `readyState` from the first sign of the end until the socket has closed. */
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
   * The form in which binary messages are delivered; text is always a Buffer in 'message' events. An assigned value
   * that is none of the known ones is ignored. Reading may also give `'blob'`: the declared type leaves it out, so
   * that a ferrows socket can be passed to code that was typed with @types/ws.
   *
   * @default 'nodebuffer'
   */
  get binaryType(): 'nodebuffer' | 'arraybuffer' | 'fragments';
  set binaryType(type: WebSocket.BinaryType);
  /**
   * Bytes that wait to be written: framed ones that the kernel has not accepted, payloads that wait for an earlier
   * one, and for good the payloads of what was sent after closing began.
   */
  readonly bufferedAmount: number;
  /** Names of the negotiated extensions, separated by commas; `''` without any. */
  readonly extensions: string;
  /** Whether `pause()` was called, and `resume()` not since. */
  readonly isPaused: boolean;
  /** The negotiated subprotocol; `''` without one. */
  readonly protocol: string;
  /** The state of the connection. It only ever grows. */
  readonly readyState:
    | typeof WebSocket.CONNECTING
    | typeof WebSocket.OPEN
    | typeof WebSocket.CLOSING
    | typeof WebSocket.CLOSED;
  /** The normalized address of a client; `undefined` on a server's socket, whatever the type says. */
  readonly url: string;

  /** Listener for the 'open' event; anything that is not a function clears it. */
  onopen: ((event: WebSocket.Event) => void) | null;
  /** Listener for the 'error' event; anything that is not a function clears it. */
  onerror: ((event: WebSocket.ErrorEvent) => void) | null;
  /** Listener for the 'close' event; anything that is not a function clears it. */
  onclose: ((event: WebSocket.CloseEvent) => void) | null;
  /** Listener for the 'message' event; anything that is not a function clears it. */
  onmessage: ((event: WebSocket.MessageEvent) => void) | null;

  /** A socket without a connection, as servers make them and as subclasses pass on. `options` must be given. */
  constructor(address: null, protocols?: undefined, options?: WebSocket.SocketOptions);
  /**
   * Connects to a server.
   *
   * @param address `ws:`, `wss:`, `http:`, `https:` or `ws+unix:<socket path>[:<request path>]`
   * @throws {SyntaxError} the address or a subprotocol is not valid
   * @throws {RangeError} the protocol version is neither 8 nor 13
   */
  constructor(address: string | URL, options?: WebSocket.ClientOptions | ClientRequestArgs);
  /**
   * Connects to a server and offers subprotocols, most wanted first.
   *
   * @param protocols unique tokens (RFC 6455 §4.1)
   */
  constructor(
    address: string | URL,
    protocols?: string | string[],
    options?: WebSocket.ClientOptions | ClientRequestArgs
  );

  /**
   * Starts the closing handshake (RFC 6455 §7.1.2). After `closeTimeout` without an end the socket is destroyed.
   *
   * @param code 1000-1003, 1007-1014 or 3000-4999; without one the close frame is empty
   * @param data the reason, at most 123 bytes of UTF-8
   * @throws {TypeError} the code or the type of the reason is not valid
   * @throws {RangeError} the reason is too long
   */
  close(code?: number, data?: string | Uint8Array): void;
  /** Destroys the socket at once; what is still to be written may be lost. */
  terminate(): void;

  /**
   * Sends a ping (RFC 6455 §5.5.2).
   *
   * @param data at most 125 bytes; or the callback
   * @param mask whether to mask the frame; by default as the role demands
   * @param cb called once the bytes were accepted by the kernel, or with the error
   * @throws {Error} the connection is not open yet
   * @throws {RangeError} the data is too long
   */
  ping(data?: any, mask?: boolean, cb?: (err: Error) => void): void;
  /** Sends a pong nobody asked for (RFC 6455 §5.5.3). Parameters and errors are those of `ping()`. */
  pong(data?: any, mask?: boolean, cb?: (err: Error) => void): void;

  /**
   * Sends a message. The bytes may be read until `cb` is called: do not change them before.
   *
   * @param cb called once the bytes were accepted by the kernel, or with the error
   * @throws {Error} the connection is not open yet
   * @throws {TypeError} the data has a type that cannot be sent
   */
  send(data: BufferLike, cb?: (err?: Error) => void): void;
  send(
    data: BufferLike,
    options: WebSocket.SendOptions | null | undefined,
    cb?: (err?: Error) => void
  ): void;

  /** Stops reading the socket. What was parsed already is still delivered. Nothing while CONNECTING or CLOSED. */
  pause(): void;
  /** Reads the socket again. Nothing while CONNECTING or CLOSED. */
  resume(): void;

  /** Adds a listener as browsers have it. A type that is not one of the four is ignored. */
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

  /** Once, last of all. 1005: the peer gave no code; 1006: it never said goodbye. */
  on(event: 'close', listener: (this: WebSocket, code: number, reason: Buffer) => void): this;
  /** At most once after opening. A violation of the protocol carries a `code` (see `ErrorCode`). 'close' follows. */
  on(event: 'error', listener: (this: WebSocket, error: Error) => void): this;
  /** Client: the 101 has come and is not checked yet. */
  on(event: 'upgrade', listener: (this: WebSocket, request: IncomingMessage) => void): this;
  /** A whole message. With binary type `'blob'` the data may also be a `Blob`: see `BlobData`. */
  on(
    event: 'message',
    listener: (this: WebSocket, data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  /** Client: the connection is ready. */
  on(event: 'open', listener: (this: WebSocket) => void): this;
  /** A ping, which `autoPong` has answered already, or a pong. */
  on(event: 'ping' | 'pong', listener: (this: WebSocket, data: Buffer) => void): this;
  /** Client with `followRedirects`: the next request, not sent yet. */
  on(
    event: 'redirect',
    listener: (this: WebSocket, url: string, request: ClientRequest) => void
  ): this;
  /** Client: the answer was not a 101. With a listener the library leaves the request to it. */
  on(
    event: 'unexpected-response',
    listener: (this: WebSocket, request: ClientRequest, response: IncomingMessage) => void
  ): this;
  on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;

  /** The events of `on()`, heard once. */
  once(event: 'close', listener: (this: WebSocket, code: number, reason: Buffer) => void): this;
  once(event: 'error', listener: (this: WebSocket, error: Error) => void): this;
  once(event: 'upgrade', listener: (this: WebSocket, request: IncomingMessage) => void): this;
  once(
    event: 'message',
    listener: (this: WebSocket, data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  once(event: 'open', listener: (this: WebSocket) => void): this;
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

  /** Removes what `on()` or `once()` added. */
  off(event: 'close', listener: (this: WebSocket, code: number, reason: Buffer) => void): this;
  off(event: 'error', listener: (this: WebSocket, error: Error) => void): this;
  off(event: 'upgrade', listener: (this: WebSocket, request: IncomingMessage) => void): this;
  off(
    event: 'message',
    listener: (this: WebSocket, data: WebSocket.RawData, isBinary: boolean) => void
  ): this;
  off(event: 'open', listener: (this: WebSocket) => void): this;
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
  /** The data of a 'message' event, unless the binary type is `'blob'`. Text comes as a Buffer of UTF-8. */
  type RawData = Buffer | ArrayBuffer | Buffer[];

  /** The data of a 'message' event whatever the binary type is: annotate the listener with it to receive blobs. */
  type BlobData = RawData | Blob;

  /** The data of a `MessageEvent`, unless the binary type is `'blob'`. Text comes as a string. */
  type Data = string | Buffer | ArrayBuffer | Buffer[];

  /**
   * The form of binary messages: one Buffer; one ArrayBuffer of the message's size; one Buffer for each non-empty
   * frame; one Blob without a type.
   */
  type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

  /** Certificates and keys as Node takes them. */
  type CertMeta = string | string[] | Buffer | Buffer[];

  /** The `code` of an error that a peer's violation of the protocol or of a limit causes. */
  type ErrorCode =
    /** A frame must be the last of its message and is not: a control frame was fragmented. Sent: 1002. */
    | 'WS_ERR_EXPECTED_FIN'
    /** A client sent a frame without a mask. Sent: 1002. */
    | 'WS_ERR_EXPECTED_MASK'
    /** A close frame with a code that must not be on the wire. Sent: 1002. */
    | 'WS_ERR_INVALID_CLOSE_CODE'
    /** A control frame over 125 bytes, or a close frame of one. Sent: 1002. */
    | 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'
    /** A reserved opcode, or one out of place between fragments. Sent: 1002. */
    | 'WS_ERR_INVALID_OPCODE'
    /** Text or a close reason that is not UTF-8. Sent: 1007. */
    | 'WS_ERR_INVALID_UTF8'
    /** More than `maxFragments` or `maxBufferedChunks`. Sent: 1008. */
    | 'WS_ERR_TOO_MANY_BUFFERED_PARTS'
    /** A server sent a frame with a mask. Sent: 1002. */
    | 'WS_ERR_UNEXPECTED_MASK'
    /** RSV1 without an extension that gives it a meaning. Sent: 1002. */
    | 'WS_ERR_UNEXPECTED_RSV_1'
    /** RSV2 or RSV3. Sent: 1002. */
    | 'WS_ERR_UNEXPECTED_RSV_2_3'
    /** A length over 2^53 - 1. Sent: 1009. */
    | 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'
    /** A message over `maxPayload`. Sent: 1009. */
    | 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';

  /** An 'error' event's error when the peer violated the protocol: a RangeError, or an Error for bad UTF-8. */
  interface ProtocolError extends Error {
    code: ErrorCode;
  }

  /** Says at once whether a handshake is accepted: by a true or a false value. A refusal is answered with 401. */
  type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (info: {
    origin: string;
    secure: boolean;
    req: Request;
  }) => boolean;

  /**
   * Says later whether a handshake is accepted. Only a function that declares exactly two parameters is called so.
   * A refusal is answered with `code` (401), `message` as the body and `headers`.
   */
  type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
    info: { origin: string; secure: boolean; req: Request },
    callback: (res: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void
  ) => void;

  /** Last touches to the request of the opening handshake. Whoever gives it must call `request.end()`. */
  type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void;

  /** How one message is sent. */
  interface SendOptions {
    /** Whether it is binary; by default a string or a number is text and everything else binary. */
    binary?: boolean | undefined;
    /** Whether it is compressed, if compression was negotiated. Of fragments the first decides. @default true */
    compress?: boolean | undefined;
    /** Whether this is the last fragment of its message. @default true */
    fin?: boolean | undefined;
    /** Whether the frame is masked; by default as the role demands. */
    mask?: boolean | undefined;
  }

  /** What bounds a connection and says how it behaves once it is open; both roles have these. */
  interface ConnectionOptions {
    /** `false`: at most one event of 'message', 'ping', 'pong' for each macrotask. @default true */
    allowSynchronousEvents?: boolean | undefined;
    /** Whether pings are answered. @default true */
    autoPong?: boolean | undefined;
    /** How long the closing handshake may take. @default 30000 */
    closeTimeout?: number | undefined;
    /** Most chunks that are kept while a frame is incomplete; 0 or less: no limit. @default 262144 */
    maxBufferedChunks?: number | undefined;
    /** Most frames of one message; 0 or less: no limit. @default 16384 */
    maxFragments?: number | undefined;
    /** Most bytes of one message; 0 or less: no limit. @default 104857600 */
    maxPayload?: number | undefined;
    /**
     * Most automatic pongs that wait to be written; one more and the connection is terminated. 0 or less: no limit.
     * @default 60
     */
    maxPendingAutoPongs?: number | undefined;
    /** Whether text and close reasons go unchecked. @default false */
    skipUTF8Validation?: boolean | undefined;
    /**
     * What moves the bytes of a plain socket; others are always carried by `'stream'`. The environment variable
     * FERROWS_TRANSPORT comes first. Anything else throws a TypeError. Not in ws.
     * @default 'auto'
     */
    transport?: Transport | undefined;
  }

  /** What moves the bytes of a connection: Node's event loop, threads, one or the other as it pays, or a Node stream. */
  type Transport = 'auto' | 'event_loop' | 'io_threads' | 'stream';

  /** What a socket without an address is made with. */
  interface SocketOptions extends ConnectionOptions {
    /** See `ClientOptions`. */
    generateMask?(mask: Buffer): void;
  }

  /** Options of a client. What is not named here goes to `http.request()` or `https.request()`. */
  interface ClientOptions extends SecureContextOptions, ConnectionOptions {
    /** Agent for the request; without one the connection is made directly. */
    agent?: Agent | undefined;
    checkServerIdentity?(servername: string, cert: CertMeta): boolean;
    /** Makes the socket, instead of `net.connect()` or `tls.connect()`. */
    createConnection?: typeof createConnection | undefined;
    family?: number | undefined;
    finishRequest?: FinishRequestCallback | undefined;
    /** @default false */
    followRedirects?: boolean | undefined;
    /** Fills in the masking key of each frame, 4 bytes, instead of the cryptographic generator. */
    generateMask?(mask: Buffer): void;
    /** How long the handshake may be silent; none by default. */
    handshakeTimeout?: number | undefined;
    headers?: { [key: string]: string } | undefined;
    host?: string | undefined;
    localAddress?: string | undefined;
    /** Most redirects that are followed. @default 10 */
    maxRedirects?: number | undefined;
    /** The `Origin` header. */
    origin?: string | undefined;
    /** Whether and how compression is offered. @default true */
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    /** Without effect; declared because @types/ws declares it. */
    protocol?: string | undefined;
    /** The subprotocols to offer when the second argument does not say. */
    protocols?: string | string[] | undefined;
    /** 8 or 13. @default 13 */
    protocolVersion?: number | undefined;
    rejectUnauthorized?: boolean | undefined;
    servername?: string | undefined;
  }

  /** The parameters of permessage-deflate (RFC 7692 §7.1), and how messages are compressed. */
  interface PerMessageDeflateOptions {
    /** `true`: the server forgets its window after each message; `false` on a server: offers that ask for it are refused. */
    serverNoContextTakeover?: boolean | undefined;
    /** `true`: the client forgets its window after each message; `false` on a client: answers that demand it are refused. */
    clientNoContextTakeover?: boolean | undefined;
    /** The server's window, 8 to 15 bits. */
    serverMaxWindowBits?: number | undefined;
    /** The client's window, 8 to 15 bits. */
    clientMaxWindowBits?: number | undefined;
    /** How connections compress. `PerMessageDeflate` by itself and `Sender` give all of it to zlib, but `windowBits`. */
    zlibDeflateOptions?:
      | {
          /** Without effect on connections. */
          flush?: number | undefined;
          /** Without effect on connections. */
          finishFlush?: number | undefined;
          /** Without effect on connections. */
          chunkSize?: number | undefined;
          /** Without effect: what was agreed on counts. */
          windowBits?: number | undefined;
          /** 0 (none) to 9 (small); -1: fast, and small enough. @default -1 */
          level?: number | undefined;
          /** 1 to 9. @default 8 */
          memLevel?: number | undefined;
          /** 0 to 4: `zlib.constants.Z_DEFAULT_STRATEGY` to `Z_FIXED`. @default 0 */
          strategy?: number | undefined;
          /** Bytes that both ends know before the first message. Connections ignore an array, zlib throws. */
          dictionary?: Buffer | Buffer[] | DataView | undefined;
          /** Without effect on connections. */
          info?: boolean | undefined;
        }
      | undefined;
    /** On connections only `dictionary` counts: what the peer compresses with. */
    zlibInflateOptions?: ZlibOptions | undefined;
    /** Messages of fewer bytes are not compressed, if their sender forgets its window anyway. @default 1024 */
    threshold?: number | undefined;
    /** Most jobs of `PerMessageDeflate` and `Sender` at a time, in the whole process. The first value counts. @default 10 */
    concurrencyLimit?: number | undefined;
  }

  /** What a listener of `addEventListener()` or an `on...` property gets. Not an instance of the global `Event`. */
  interface Event {
    type: string;
    target: WebSocket;
  }

  /** An error. */
  interface ErrorEvent {
    error: any;
    message: string;
    type: string;
    target: WebSocket;
  }

  /** The end of a connection. */
  interface CloseEvent {
    /** Whether both sides sent a close frame. */
    wasClean: boolean;
    code: number;
    reason: string;
    type: string;
    target: WebSocket;
  }

  /** A message. With binary type `'blob'` the data may also be a Blob: see `BlobMessageEvent`. */
  interface MessageEvent {
    data: Data;
    type: string;
    target: WebSocket;
  }

  /** A message whatever the binary type is: annotate the listener with it to receive blobs. */
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
    /** Whether the listener is removed when it is called. */
    once?: boolean | undefined;
  }

  /** Options of a server. Exactly one of `port`, `server` and `noServer` must be given. */
  interface ServerOptions<
    U extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    V extends typeof IncomingMessage = typeof IncomingMessage
  > extends ConnectionOptions {
    /** Most connections that wait to be accepted. @default 511 */
    backlog?: number | undefined;
    /** Whether there is a set `clients`. @default true */
    clientTracking?: boolean | undefined;
    /** Chooses a subprotocol among those offered; `false`: none. By default the first. */
    handleProtocols?: (protocols: Set<string>, request: InstanceType<V>) => string | false;
    /** Where a server with `port` listens. */
    host?: string | undefined;
    /** `true`: no HTTP server; `handleUpgrade()` is called by you. */
    noServer?: boolean | undefined;
    /** Accept only requests for exactly this path, the query left out. */
    path?: string | undefined;
    /** Whether and how offers of compression are accepted. @default false */
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    /** Listen on this port with an HTTP server of its own; 0: any free one. */
    port?: number | undefined;
    /** Use this HTTP server. */
    server?: HTTPServer<V> | HTTPSServer<V> | undefined;
    verifyClient?:
      | VerifyClientCallbackAsync<InstanceType<V>>
      | VerifyClientCallbackSync<InstanceType<V>>
      | undefined;
    /** The class of the sockets. */
    WebSocket?: U | undefined;
  }

  /** The address of a server that listens on TCP. */
  interface AddressInfo {
    address: string;
    family: string;
    port: number;
  }

  /** What a server has seen since it was made. Bytes are those of frames, the opening handshake left out. */
  interface ServerStatistics {
    /** Connections that have not emitted 'close' yet. */
    connections: number;
    /** Connections ever accepted. */
    connectionsOpened: number;
    /** What moves the bytes of the open ones now. */
    transports: { event_loop: number; io_threads: number; stream: number };
    /** 'message' events, of open and closed connections; so are the next three. */
    messagesReceived: number;
    /** Messages that were sent, to the last fragment. */
    messagesSent: number;
    /** Bytes read from the sockets. */
    bytesReceived: number;
    /** Bytes that the kernel has accepted; over 'stream', that the socket has. */
    bytesSent: number;
    /** Bytes that wait for slow peers. */
    queuedBytes: number;
  }

  /** A WebSocket server: the opening handshake, and the set of its connections. */
  class Server<
    T extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage
  > extends EventEmitter {
    /** The options in force. They are read at each handshake, so a change counts from the next one on. */
    options: ServerOptions<T, U>;
    /** Not set by the library: the path is `options.path`. Declared because @types/ws declares it. */
    path: string;
    /** The open connections; absent with `clientTracking: false`. */
    clients: Set<InstanceType<T>>;

    /**
     * @param callback called when a server with `port` listens
     * @throws {TypeError} not exactly one of `port`, `server` and `noServer` was given
     */
    constructor(options?: ServerOptions<T, U>, callback?: () => void);

    /**
     * The address of the HTTP server, or the path of its pipe; `null` once closed.
     *
     * @throws {Error} with `noServer`
     */
    address(): AddressInfo | string | null;
    /**
     * Stops accepting. Connections go on: end them yourself.
     *
     * @param cb called at the 'close' event, or with an error if the server was closed already
     */
    close(cb?: (err?: Error) => void): void;
    /**
     * Answers the request of an opening handshake (RFC 6455 §4.2). Unless `verifyClient` is asynchronous, `callback`
     * is called before this returns. A refusal is answered on the socket, and `callback` not called.
     *
     * @throws {Error} the socket has been given to a `handleUpgrade()` before
     */
    handleUpgrade(
      request: InstanceType<U>,
      socket: Duplex,
      upgradeHead: Buffer,
      callback: (client: InstanceType<T>, request: InstanceType<U>) => void
    ): void;
    /**
     * Whether a request is for this server; by default by its path. Made to be replaced. The value counts by being
     * true, so a Promise always accepts.
     */
    shouldHandle(request: InstanceType<U>): boolean | Promise<boolean>;
    /** Counts of all that the server has seen; a walk over its open connections. Not in ws. */
    stats(): ServerStatistics;
    /** Answers with the 101 when all checks are done. For subclasses. */
    completeUpgrade(
      extensions: { [name: string]: ExtensionParameters[] },
      key: string,
      protocols: Set<string>,
      request: InstanceType<U>,
      socket: Duplex,
      head: Buffer,
      cb: (client: InstanceType<T>, request: InstanceType<U>) => void
    ): void;

    /** A handshake is done. With `noServer` it is yours to emit. */
    on(
      event: 'connection',
      cb: (this: Server<T>, websocket: InstanceType<T>, request: InstanceType<U>) => void
    ): this;
    /** An error of the HTTP server. */
    on(event: 'error', cb: (this: Server<T>, error: Error) => void): this;
    /** The lines of the 101, about to be written: the array may be changed. */
    on(
      event: 'headers',
      cb: (this: Server<T>, headers: string[], request: InstanceType<U>) => void
    ): this;
    /** The server has closed; it listens. */
    on(event: 'close' | 'listening', cb: (this: Server<T>) => void): this;
    /** A handshake that is not valid. With a listener nothing is answered: the socket is the listener's. */
    on(
      event: 'wsClientError',
      cb: (this: Server<T>, error: Error, socket: Duplex, request: InstanceType<U>) => void
    ): this;
    on(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;

    /** The events of `on()`, heard once. */
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

    /** Removes what `on()` or `once()` added. */
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

  /** `Server` under the name that browsers' users know. */
  const WebSocketServer: typeof Server;
  interface WebSocketServer extends Server {}
  /** The class itself, so that `const { WebSocket } = require('ferrows')` works. */
  const WebSocket: typeof WebSocketAlias;
  interface WebSocket extends WebSocketAlias {}

  /**
   * A Duplex over a connection: each write is a message, each message a read. `end()` closes the connection,
   * `destroy()` terminates it.
   *
   * @param options as for `stream.Duplex`; with `readableObjectMode` text is read as strings and messages stay whole,
   * with `decodeStrings: false` strings are written as text
   */
  function createWebSocketStream(websocket: WebSocket, options?: DuplexOptions): Duplex;

  /** Options of a `Receiver`. The limits are 0, none, by default. */
  interface ReceiverOptions {
    /** @default true */
    allowSynchronousEvents?: boolean | undefined;
    /** @default 'nodebuffer' */
    binaryType?: BinaryType | undefined;
    /** Negotiated extensions by name: compressed messages are inflated as they say. */
    extensions?: { [name: string]: PerMessageDeflate } | undefined;
    /** Whether the bytes come from a client, so that frames must be masked. @default false */
    isServer?: boolean | undefined;
    maxBufferedChunks?: number | undefined;
    maxFragments?: number | undefined;
    maxPayload?: number | undefined;
    /** @default false */
    skipUTF8Validation?: boolean | undefined;
  }

  /** Reads frames: write the bytes of a connection, hear its messages. After a close frame the rest is ignored. */
  class Receiver extends Writable {
    constructor(options?: ReceiverOptions);

    /** A whole message. */
    on(event: 'message', listener: (data: RawData, isBinary: boolean) => void): this;
    /** A ping or a pong. */
    on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
    /** A close frame; 1005 if it was empty. */
    on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
    /** A violation of the protocol or of a limit. */
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: string | symbol, listener: (...args: any[]) => void): this;

    /** The events of `on()`, heard once. */
    once(event: 'message', listener: (data: RawData, isBinary: boolean) => void): this;
    once(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
    once(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
    once(event: 'error', listener: (error: Error) => void): this;
    once(event: string | symbol, listener: (...args: any[]) => void): this;
  }

  /** How `Sender.frame()` makes a frame. */
  interface FrameOptions {
    /** The FIN bit. */
    fin: boolean;
    /** 0 to 15 (RFC 6455 §5.2). */
    opcode: number;
    /** Whether to mask the payload. */
    mask?: boolean | undefined;
    /** Whether the data must not be changed, so that masking works on a copy. */
    readOnly?: boolean | undefined;
    /** The RSV1 bit. */
    rsv1?: boolean | undefined;
    /** Fills in the masking key, 4 bytes. */
    generateMask?: ((mask: Buffer) => void) | undefined;
    /** The 4 bytes that the masking key is put into. */
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
     * Makes one frame: `[header, payload]`, or `[frame]` when the payload was copied or is empty. With `mask` and
     * without `readOnly` the data itself is masked, in place.
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
    /** Writes what `Sender.frame()` made, unchanged: the same frames may go to many sockets. */
    sendFrame(list: Buffer[], cb?: (err?: Error) => void): void;
  }

  /** The parameters of one offer of an extension: each value is `true` (none was given) or a string. */
  interface ExtensionParameters {
    [parameter: string]: (string | true)[];
  }

  /** permessage-deflate (RFC 7692): the negotiation, and coding by zlib, which connections do without. */
  class PerMessageDeflate {
    /** `'permessage-deflate'` */
    static readonly extensionName: string;

    constructor(
      options?: PerMessageDeflateOptions & {
        /** @default false */
        isServer?: boolean | undefined;
        /** Most bytes of one inflated message; 0 or less: no limit. @default 0 */
        maxPayload?: number | undefined;
      }
    );

    /** The negotiated parameters; `null` until `accept()`. */
    readonly params: { [parameter: string]: boolean | number } | null;

    /** The parameters that a client offers. */
    offer(): { [parameter: string]: boolean | number };
    /**
     * Accepts one of a client's offers, or a server's answer.
     *
     * @throws {Error} none can be accepted
     * @throws {TypeError} a value is not valid
     */
    accept(configurations: ExtensionParameters[]): { [parameter: string]: boolean | number };
    /** Frees what zlib holds. The callback of a job that is running gets an error. */
    cleanup(): void;
    /** Deflates one payload; `fin`: it ends its message. */
    compress(
      data: Buffer | string,
      fin: boolean,
      callback: (err: Error | null, result?: Buffer) => void
    ): void;
    /** Inflates one payload; `fin`: it ends its message. */
    decompress(
      data: Buffer,
      fin: boolean,
      callback: (err: Error | null, result?: Buffer) => void
    ): void;
  }

  /** The `Sec-WebSocket-Extensions` header (RFC 6455 §9.1). */
  const extension: {
    /** Makes a header of offers by name. */
    format(extensions: {
      [name: string]:
        | { [parameter: string]: boolean | number | string | (boolean | number | string)[] }
        | { [parameter: string]: boolean | number | string | (boolean | number | string)[] }[];
    }): string;
    /**
     * Reads a header: the offers by name, in an object without a prototype.
     *
     * @throws {SyntaxError} the header is not well-formed
     */
    parse(header: string): { [name: string]: ExtensionParameters[] };
  };

  /** The `Sec-WebSocket-Protocol` header (RFC 6455 §11.3.4). */
  const subprotocol: {
    /**
     * Reads a header: the names in their order.
     *
     * @throws {SyntaxError} the header is not well-formed, or has a name twice
     */
    parse(header: string): Set<string>;
  };
}

export = WebSocket;
