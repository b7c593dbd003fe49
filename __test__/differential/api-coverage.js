'use strict';

// Rows of the public API (SPEC.md, 1.2 to 1.11) and of private members in use (3.1), each with the scenarios that prove it, by
// the beginning of their names. Checked by spec.test.js.

/** @typedef {{ group: string, row: string, scenarios: string[] }} Row */

/** @type {[group: string, rows: [row: string, scenarios: string | string[]][]][]} */
const TABLES = [
  [
    '1.3 options of clients',
    [
      ['allowSynchronousEvents', 'R3 allowSynchronousEvents'],
      ['autoPong', ['P1 autoPong', '1.3 autoPong']],
      ['closeTimeout', 'K2 closeTimeout'],
      ['createConnection', 'C7 createConnection'],
      ['defaultPort', 'C3 the Host'],
      ['finishRequest', 'C1 finishRequest'],
      ['followRedirects, maxRedirects', ['C15 status', 'C15 maxRedirects', 'C15 ten']],
      ['generateMask', ['S8 generateMask', '1.3 generateMask']],
      ['handshakeTimeout', ['C11', '1.3 handshakeTimeout']],
      ['headers', ['C4 the request with headers', '1.3 the options object']],
      ['maxBufferedChunks', 'E1 too many buffered chunks'],
      ['maxFragments', ['A3', 'E1 limits']],
      ['maxPayload', ['1.3 maxPayload', 'E1 limits']],
      ['maxPendingAutoPongs', 'P2'],
      ['origin', 'C4 the request with origin'],
      ['perMessageDeflate', ['C4 deflate', 'C10 deflate', '1.6 deflate: zlib']],
      ['protocols', ['C4 the request with subprotocols', 'C5']],
      ['protocolVersion', ['C17', 'C1 options that throw']],
      ['skipUTF8Validation', 'R2 skipUTF8Validation'],
      ['signal', 'C1 signal'],
      ['agent', ['C7 an agent', 'C7 an HTTP proxy', '1.3 an agent', '1.3 the global agent']],
      ['auth', 'C4 the request with auth'],
      ['ca, cert, key, rejectUnauthorized', ['C7 wss', 'C7 verifyClient', 'C13 an untrusted']],
      ['servername', ['C7 SNI', 'C3 the Host']],
      ['family, localAddress, lookup', '1.3 options for the connection'],
      ['insecureHTTPParser, maxHeaderSize', '1.3 options for the parser'],
      ['setHost', 'C4 the request with setHost'],
      ['options that are overwritten', 'C4 the request with options of http.request']
    ]
  ],
  [
    '1.3 members of WebSocket',
    [
      ['CONNECTING, OPEN, CLOSING, CLOSED', ['K1 constants', '1.2 exports']],
      ['binaryType', ['R1', '1.3 blobs']],
      ['bufferedAmount', ['B1', 'B2', 'B3', 'B4']],
      ['extensions', ['H5 accepts', '1.3 deflate', 'H5 deflate: extensions']],
      ['isPaused', 'Q1'],
      ['protocol', ['C4', 'H6']],
      ['readyState', 'K1'],
      ['url', 'C2 url'],
      ['onopen, onerror, onclose, onmessage', 'T3'],
      ['addEventListener, removeEventListener', ['T1', 'T2']],
      ['close', ['K2', 'K3']],
      ['terminate', 'K7'],
      ['pause, resume', 'Q1'],
      ['ping, pong', ['S11', '1.3 ws.pong']],
      ['send', ['S2', 'S3', 'S4', '1.3 options of send']],
      ['setSocket', 'H7 setSocket'],
      ['subclasses', '1.3 a subclass'],
      ['options that are refused', ['1.3 invalid options', '1.3 a process with']]
    ]
  ],
  [
    '1.3 events of WebSocket',
    [
      ['open', 'C8'],
      ['message', ['R1', 'R7']],
      ['ping, pong', 'P1'],
      ['close', ['E5', 'K4']],
      ['error', ['E1', 'C13']],
      ['upgrade', ['C8', 'C9']],
      ['redirect', 'C15 redirect listeners'],
      ['unexpected-response', 'C12']
    ]
  ],
  [
    '1.4 options of WebSocketServer',
    [
      ['allowSynchronousEvents', 'R3 allowSynchronousEvents'],
      ['autoPong', ['P1 autoPong', '1.4 limits']],
      ['host, port, backlog', ['1.4 host', '1.4 port', '1.4 backlog', 'H1 a server', 'H1 a p']],
      ['clientTracking', ['H5 clientTracking', 'W2 noServer, clientTracking']],
      ['closeTimeout', 'K2 closeTimeout'],
      ['handleProtocols', ['H6', 'A9 results of hooks']],
      ['path', ['1.4 path', 'H3 another path']],
      ['server', 'H2'],
      ['noServer', ['H5 all is synchronous', 'W2 noServer']],
      ['maxPayload, maxFragments, maxPendingAutoPongs', '1.4 limits'],
      ['maxBufferedChunks', 'E1 too many buffered chunks'],
      ['perMessageDeflate', ['H5 deflate', 'H3 deflate', '1.4 deflate', 'S6 deflate']],
      ['skipUTF8Validation', '1.4 limits'],
      ['verifyClient', ['1.4 verifyClient', 'H5 verifyClient', 'H3 verifyClient', 'H10', 'A16']],
      ['WebSocket', 'H5 the WebSocket option'],
      ['the callback', ['H1 listening', 'H1 a server', '1.4 a callback']]
    ]
  ],
  [
    '1.4 members of WebSocketServer',
    [
      ['clients', 'W4'],
      ['options', ['1.4 options', 'H5 options are read']],
      ['address', ['1.4 options of servers', 'H1']],
      ['close', ['W1', 'W2', 'W3']],
      ['handleUpgrade', ['H3', 'H5', 'H7']],
      ['shouldHandle', ['H5 shouldHandle', '1.4 path']],
      ['completeUpgrade', '1.4 a subclass'],
      ['subclasses', '1.4 a subclass']
    ]
  ],
  [
    '1.4 events of WebSocketServer',
    [
      ['listening', ['H1 listening', '1.4 events']],
      ['connection', ['H5', 'H11 an exception of connection']],
      ['headers', ['H5 a listener of headers', 'H5 actions of a listener of headers']],
      ['error', ['H1 listening', 'W1 events']],
      ['close', ['W2', '1.4 events']],
      ['wsClientError', ['H4', '1.4 events']]
    ]
  ],
  [
    '1.11 errors',
    [
      ['codes of the receiver', ['E1 WS_ERR', 'E1 too many']],
      ['order of checks in a header', 'E1 order'],
      ['thrown by the constructor', ['C1 options', 'C2 addresses', 'C5']],
      ['thrown by send, ping and pong', ['S1', 'S2', 'S11 arguments']],
      ['thrown by close', 'K2 close() with'],
      ['thrown by the server', ['1.4 options of servers', 'H5 a second']],
      ['of the handshake', ['C10', 'C11', 'C12', 'C13', 'C14']],
      ['given to callbacks', ['S1', 'S10 callbacks of', 'S12', 'W3']]
    ]
  ],
  [
    '3.1 private members',
    [
      ['_socket: addresses', ['3.1 members of the raw socket', '3.1 state of the raw socket']],
      ['_socket: unref, ref', ['Q4', '3.1 options of the raw socket']],
      ['_socket: setNoDelay, setKeepAlive', '3.1 options of the raw socket'],
      ['_socket: setTimeout', '3.1 a timeout'],
      [
        '_socket: events',
        ['B2 drain', '3.1 events of the raw', '3.1 data listeners', '3.1 waiting for the raw']
      ],
      ['_socket: pause, resume, isPaused', ['3.1 pause', 'Q1 pause of the raw']],
      ['_socket: write', ['3.1 frames written', '3.1 write callbacks']],
      ['_socket: byte counters', '3.1 byte counters'],
      ['_socket: cork, uncork', ['3.1 cork', '3.1 messages sent while']],
      ['_socket: certificates, TLS', '3.1 members of a TLS socket'],
      ['_socket: destroy, end, resetAndDestroy', ['3.1 destroy', '3.1 end', '3.1 resetAndDestroy']],
      ['_socket: _handle, _writableState', '3.1 options of the raw socket'],
      [
        '_socket: other properties, identity',
        ['3.1 options of the raw socket', '3.1 the raw socket is always']
      ],
      ['_socket: in a listener of connection', '3.1 pause of the raw socket in a listener'],
      ['_sender.sendFrame', '3.1 _sender.sendFrame'],
      ['_sender._socket', '3.1 members that begin'],
      ['Sender.frame', '1.8 Sender.frame'],
      ['Receiver by itself', ['1.7', '3.1 Receiver']],
      ['_receiver', '3.1 _receiver'],
      ['a socket without a connection, setSocket', 'H7 setSocket'],
      ['_isServer', '3.1 members that begin'],
      ['_closeFrameReceived, _closeFrameSent', '3.1 the side that closed first'],
      ['_readyState, _protocol and others', '3.1 members that begin'],
      [
        '_server',
        ['3.1 _server', '3.1 listeners of the http.Server', '3.1 connections', '3.1 maxConnections']
      ],
      ['the request: all its members', 'H5 the request in listeners'],
      ['options, changed after construction', ['1.4 options that change', 'H5 options are read']],
      ['completeUpgrade', '1.4 a subclass'],
      ['connection emitted by the user, headers changed', ['H5 all is', 'H5 a listener of headers']]
    ]
  ]
];

/** @type {Row[]} */
const ROWS = TABLES.flatMap(([group, rows]) =>
  rows.map(([row, scenarios]) => ({ group, row, scenarios: [scenarios].flat() }))
);

module.exports = { ROWS };
