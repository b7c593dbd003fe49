/**
 * Idioms of users of @types/ws in CommonJS. Compiled against our types and against @types/ws itself
 * (tsconfig.reference-cts.json), which proves that each idiom is one. Never run.
 */

import WebSocket = require('ferrows');
import http = require('http');
import https = require('https');
import { once } from 'events';
import type { Duplex } from 'stream';

// A client: every shape of the constructor.
const client = new WebSocket('ws://127.0.0.1/');
new WebSocket(new URL('wss://127.0.0.1/'), 'chat');
new WebSocket('ws://127.0.0.1/', ['chat', 'superchat'], { origin: 'http://127.0.0.1' });
new WebSocket('ws://127.0.0.1/', undefined, { headers: { cookie: 'a=b' } });
new WebSocket('ws://127.0.0.1/', { perMessageDeflate: false, timeout: 5000 });
new WebSocket('wss://127.0.0.1/', {
  agent: new https.Agent(),
  ca: Buffer.alloc(0),
  checkServerIdentity: () => true,
  rejectUnauthorized: false,
  handshakeTimeout: 1000,
  followRedirects: true,
  maxRedirects: 3,
  protocolVersion: 13,
  generateMask: (mask) => mask.fill(0),
  finishRequest: (request, websocket) => {
    websocket.once('open', () => undefined);
    request.end();
  },
  perMessageDeflate: {
    serverNoContextTakeover: true,
    clientMaxWindowBits: 12,
    zlibDeflateOptions: { level: 3, memLevel: 7, chunkSize: 1024 },
    zlibInflateOptions: { chunkSize: 10 * 1024 },
    threshold: 1024,
    concurrencyLimit: 10
  },
  maxPayload: 1 << 20,
  maxFragments: 100,
  maxBufferedChunks: 100,
  skipUTF8Validation: true,
  allowSynchronousEvents: false,
  autoPong: false
});
new WebSocket(null);

// Events: the arguments have their types, `this` is the socket, `on` chains.
client
  .on('open', function () {
    this.send('open');
  })
  .on('message', (data, isBinary) => {
    const text: string = isBinary ? '' : data.toString();
    if (Array.isArray(data)) Buffer.concat(data);
    else if (data instanceof ArrayBuffer) Buffer.from(data);
    else data.readUInt8(0);
    text.trim();
  })
  .on('ping', (data) => client.pong(data))
  .once('pong', (data: Buffer) => data.toString('hex'))
  .once('close', (code, reason) => `${code.toFixed()} ${reason.toString()}`)
  .on('error', (error) => error.message)
  .on('upgrade', (response) => response.headers['set-cookie'])
  .on('redirect', (url, request) => request.setHeader('x-url', url))
  .on('unexpected-response', (request, response) => {
    request.destroy();
    response.statusCode?.toFixed();
  })
  .on('my own event', (...args) => args.length)
  .on(Symbol('mine'), () => undefined);
const heard = (data: WebSocket.RawData): void => void data;
client.addListener('message', heard).removeListener('message', heard).off('message', heard);
const opened: Promise<unknown[]> = once(client, 'open');
void opened;

// The browser's interface.
client.onopen = (event) => event.target.send('open');
client.onmessage = ({ data }) => (typeof data === 'string' ? data.length : 0);
client.onclose = (event: WebSocket.CloseEvent) =>
  event.wasClean && event.code + event.reason.length;
client.onerror = (event) => `${event.message} ${event.error.code}`;
client.onerror = null;
client.addEventListener('message', (event) => event.data, { once: true });
client.addEventListener('close', { handleEvent: (event) => void event.code });
client.removeEventListener('open', (event: WebSocket.Event) => void event.type);

// Sending.
client.send('text');
client.send(1);
client.send([1, 2, 3]);
client.send(Buffer.alloc(1), (error) => error?.message);
client.send(new Uint8Array(1), { binary: true, compress: false, fin: true, mask: true });
client.send(new DataView(new ArrayBuffer(1)), { fin: false }, (error?: Error) => void error);
client.send(new ArrayBuffer(1));
client.send(new Blob(['x']));
client.ping();
client.ping('x', false, (error) => void error);
client.pong(Buffer.alloc(1), true);
client.close();
client.close(1000);
client.close(4000, 'reason');
client.close(1001, Buffer.from('reason'));
client.terminate();
client.pause();
client.resume();

// State.
if (client.readyState === WebSocket.OPEN || client.readyState === client.CONNECTING)
  client.send('');
const state: 0 | 1 | 2 | 3 = client.readyState;
const numbers: number[] = [state, client.bufferedAmount, WebSocket.CLOSED, WebSocket.CLOSING];
const strings: string[] = [client.url, client.protocol, client.extensions];
const paused: boolean = client.isPaused;
client.binaryType = 'arraybuffer';
client.binaryType = 'fragments';
const form: 'nodebuffer' | 'arraybuffer' | 'fragments' = client.binaryType;
void [numbers, strings, paused, form];

// Servers.
const server = new WebSocket.Server({ port: 0 }, () => undefined);
new WebSocket.WebSocketServer({ server: http.createServer(), path: '/chat' });
new WebSocket.Server({ server: https.createServer(), clientTracking: false, backlog: 10 });
new WebSocket.Server({
  noServer: true,
  maxPayload: 1024,
  verifyClient: (info: { origin: string; secure: boolean; req: http.IncomingMessage }) =>
    info.secure,
  handleProtocols: (protocols, request) => request.url !== '/' && [...protocols][0]!
});
new WebSocket.Server({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: true,
  verifyClient: (info, callback) => callback(!!info.origin, 401, 'Unauthorized', { 'x-a': 'b' }),
  handleProtocols: () => false
});
server.on('connection', function (socket, request) {
  socket.send(request.socket.remoteAddress ?? '');
  this.clients.forEach(
    (other) => other !== socket && other.readyState === WebSocket.OPEN && other.send('')
  );
});
server.on('connection', (socket: WebSocket) => socket.terminate());
server.on('headers', (headers, request) => headers.push(`x-url: ${request.url}`));
server.on('listening', () => undefined).once('close', () => undefined);
server.on('error', (error: Error) => error.message);
server.on('wsClientError', (error, socket, request) => socket.end(error.message + request.url));
const address = server.address();
if (address !== null && typeof address === 'object') address.port.toFixed();
const { port } = server.address() as WebSocket.AddressInfo;
server.close((error) => void (error?.message, port));
for (const one of server.clients) one.ping();
server.shouldHandle = (request) => request.url === '/';
server.options.maxPayload = 10;

http.createServer().on('upgrade', (request, socket: Duplex, head: Buffer) => {
  server.handleUpgrade(request, socket, head, (ws, sameRequest) => {
    server.emit('connection', ws, sameRequest, 'and an argument of ours');
  });
});

// Subclasses, and a server that makes them.
class Session extends WebSocket {
  user = '';
}
class SessionServer extends WebSocket.Server<typeof Session> {}
const sessions = new SessionServer({ noServer: true, WebSocket: Session });
sessions.on('connection', (session) => session.user.toUpperCase());
class Request extends http.IncomingMessage {
  id = 1;
}
new WebSocket.Server<typeof WebSocket, typeof Request>({
  server: http.createServer({ IncomingMessage: Request })
}).on('connection', (_socket, request) => request.id.toFixed());

// Names of types.
interface Alive extends WebSocket {
  isAlive: boolean;
}
const alive = client as Alive;
alive.isAlive = true;
const data: WebSocket.Data = 'x';
const options: WebSocket.ServerOptions = { port: 1 };
const clientOptions: WebSocket.ClientOptions = { origin: 'x', maxPayload: 1 };
const sync: WebSocket.VerifyClientCallbackSync<Request> = ({ req }) => req.id > 0;
const later: WebSocket.VerifyClientCallbackAsync = (_info, done) => done(false, 403);
const finish: WebSocket.FinishRequestCallback = (request) => request.end();
const deflate: WebSocket.PerMessageDeflateOptions = { serverMaxWindowBits: 10 };
const certificate: WebSocket.CertMeta = ['x'];
const events: (keyof WebSocket.WebSocketEventMap)[] = ['open', 'message', 'close', 'error'];
const inNamespace: WebSocket.WebSocket = new WebSocket.WebSocket('ws://127.0.0.1/');
const serverType: WebSocket.WebSocketServer = server;
void [
  data,
  options,
  clientOptions,
  sync,
  later,
  finish,
  deflate,
  certificate,
  events,
  inNamespace,
  serverType
];

// Streams.
const duplex: Duplex = WebSocket.createWebSocketStream(client, {
  encoding: 'utf8',
  objectMode: true
});
duplex.pipe(duplex);

// Additional fields, for the whole program.
declare module 'ferrows' {
  interface WebSocket {
    room?: string;
  }
}
inNamespace.room = 'lobby';

// Errors.
// @ts-expect-error an address is needed
new WebSocket();
// @ts-expect-error a number is no address
new WebSocket(1);
// @ts-expect-error a subprotocol is a string
new WebSocket('ws://127.0.0.1/', [1]);
// @ts-expect-error there is no such option
new WebSocket.Server({ port: 0, ports: 1 });
// @ts-expect-error a port is a number
new WebSocket.Server({ port: '0' });
// @ts-expect-error a class is not a function
WebSocket('ws://127.0.0.1/');
// @ts-expect-error undefined is no message
client.send(undefined);
// @ts-expect-error there is no such option
client.send('', { compressed: true });
// @ts-expect-error a code is a number
client.close('1000');
// @ts-expect-error the state is not ours to set
client.readyState = WebSocket.OPEN;
// @ts-expect-error there is no such form
client.binaryType = 'text';
// @ts-expect-error the browser's interface knows four types
client.addEventListener('ping', () => undefined);
