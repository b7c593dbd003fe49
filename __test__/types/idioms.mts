/**
 * Idioms of users of @types/ws in ES modules. Compiled against our types and against @types/ws itself
 * (tsconfig.reference-mts.json), which proves that each idiom is one. Never run.
 */

import DefaultWebSocket, { createWebSocketStream, WebSocket, WebSocketServer } from 'ferrows';
import type {
  AddressInfo,
  CertMeta,
  ClientOptions,
  CloseEvent,
  Data,
  ErrorEvent,
  Event,
  EventListenerOptions,
  FinishRequestCallback,
  MessageEvent,
  PerMessageDeflateOptions,
  RawData,
  Server,
  ServerOptions,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync
} from 'ferrows';
import * as everything from 'ferrows';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const client: WebSocket = new DefaultWebSocket('ws://127.0.0.1/', 'chat', { maxPayload: 1 });
const same: DefaultWebSocket = new everything.WebSocket('ws://127.0.0.1/');
client.on('message', (data: RawData, isBinary) => same.send(data.toString(), { binary: isBinary }));
client.onmessage = (event: MessageEvent) => void (event.data satisfies Data);
client.onclose = (event: CloseEvent) => void event.code;
client.onerror = (event: ErrorEvent) => void event.message;
client.onopen = (event: Event) => void event.target;
if (client.readyState !== WebSocket.OPEN) client.terminate();
const raw: DefaultWebSocket.RawData = Buffer.alloc(1);
client.send(raw);

const options: ServerOptions = { noServer: true, handleProtocols: () => 'chat' };
const server: WebSocketServer = new WebSocketServer(options);
const typed: Server<typeof WebSocket, typeof IncomingMessage> = server;
typed.on('connection', (socket, request) => socket.send(request.url ?? ''));
server.on('connection', function (socket: WebSocket, request: IncomingMessage) {
  socket.close(1008, request.headers.origin);
  for (const other of this.clients) if (other.bufferedAmount > 0) other.pause();
});
const { port } = server.address() as AddressInfo;
const clients: Set<WebSocket> = server.clients;

class Session extends WebSocket {
  alive = true;
}
class Sessions extends WebSocketServer<typeof Session> {
  beat(): void {
    for (const session of this.clients) {
      if (!session.alive) session.terminate();
      session.alive = false;
      session.ping();
    }
  }
}
new Sessions({ port: 0, WebSocket: Session }).beat();

const duplex: Duplex = createWebSocketStream(client, { decodeStrings: false });
const rest: [
  CertMeta,
  ClientOptions,
  EventListenerOptions,
  FinishRequestCallback,
  PerMessageDeflateOptions,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync
] = [
  'certificate',
  { perMessageDeflate: false },
  { once: true },
  (request) => request.end(),
  { threshold: 1 },
  (_info, done) => done(true),
  () => true
];
void [port, clients, duplex, rest];

// Additional fields, for the whole program.
declare module 'ferrows' {
  interface WebSocket {
    room?: string;
  }
}
server.on('connection', (socket: WebSocket) => socket.room?.trim());

// A dynamic import, typed.
const loaded = await import('ferrows');
new loaded.WebSocketServer({ port: 0 }).close();

// Errors.
// @ts-expect-error there is no value of this name in the ES module
everything.Server;
// @ts-expect-error one of the options must have its type
new WebSocketServer({ noServer: 'yes' });
// @ts-expect-error data is a Buffer, an ArrayBuffer or an array
client.on('message', (data) => data.toUpperCase());
