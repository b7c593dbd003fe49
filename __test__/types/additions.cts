/** Additions of our types to @types/ws, in CommonJS. Compiled against our types only. Never run. */

import WebSocket = require('ferrows');
import { PassThrough } from 'stream';

// Options.
const client = new WebSocket('ws://127.0.0.1/', {
  closeTimeout: 1000,
  maxPendingAutoPongs: 10,
  protocols: ['chat'],
  transport: 'event_loop'
});
const server = new WebSocket.Server({ port: 0, closeTimeout: 1000, maxPendingAutoPongs: 10 });
const transports: WebSocket.Transport[] = ['auto', 'event_loop', 'io_threads', 'stream'];
// @ts-expect-error There is no such transport.
server.options.transport = 'carrier_pigeons';
server.options.closeTimeout = 500;

const statistics: WebSocket.ServerStatistics = server.stats();
statistics.transports.io_threads.toFixed(statistics.messagesReceived);

// Blobs.
client.binaryType = 'blob';
client.on('message', (data: WebSocket.BlobData) => {
  if (data instanceof Blob) data.size.toFixed();
});
client.onmessage = (event: WebSocket.BlobMessageEvent) =>
  event.data instanceof Blob && event.data.type;
const binaryTypes: WebSocket.BinaryType[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'];

// Calls.
client.ping(() => undefined);
client.pong(() => undefined);
client.close(1000, new Uint8Array(3));
client.send('x', null);
client.send('x', undefined, (error) => void error);

// A class for a server's `WebSocket` option.
class Session extends WebSocket {
  constructor(address: null, protocols: undefined, options: WebSocket.SocketOptions) {
    super(address, protocols, {
      ...options,
      autoPong: false,
      generateMask: (mask) => mask.fill(1)
    });
  }
}
void Session;

// Additional options, and shutdown().
const guarded = new WebSocket.WebSocketServer({
  port: 0,
  allowedOrigins: ['same-origin', /^https:\/\/[^.]+\.example\.com$/],
  deferReading: true,
  handshakeTimeout: 1000,
  idleTimeout: 30000,
  maxLifetime: 3600000,
  sendPings: false,
  paths: ['/chat', '/rooms/:id']
});
guarded.on('connection', (_socket, request) => {
  const { id } = (request as WebSocket.PathRequest).pathParameters;
  id?.toUpperCase();
});
new WebSocket.WebSocketServer({
  noServer: true,
  allowedOrigins: (origin, request) => origin === undefined || request.url === '/'
});
new WebSocket('ws://127.0.0.1/', {
  deferReading: true,
  idleTimeout: 1,
  maxLifetime: 1,
  sendPings: true
});
const { signal } = new AbortController();
void WebSocket.shutdown(guarded, { code: 1012, reason: 'x', over: 0, timeout: 1, signal }).then(
  ({ closed, lost, terminated }) => (closed + lost + terminated).toFixed()
);
// @ts-expect-error a number
new WebSocket.WebSocketServer({ port: 0, idleTimeout: '1s' });
// @ts-expect-error an array
new WebSocket.WebSocketServer({ port: 0, paths: '/chat' });
// @ts-expect-error a promise decides nothing
new WebSocket.WebSocketServer({ port: 0, allowedOrigins: async () => true });
// @ts-expect-error a number
void WebSocket.shutdown(guarded, { over: '1s' });

// Errors.
client.on('error', (error: Error | WebSocket.ProtocolError) => {
  if (!('code' in error)) return;
  switch (error.code) {
    case 'WS_ERR_INVALID_UTF8':
      return;
    // @ts-expect-error there is no such code
    case 'WS_ERR_INVALID_UTF_8':
      return;
  }
});
const codes: Record<WebSocket.ErrorCode, number> = {
  WS_ERR_EXPECTED_FIN: 1002,
  WS_ERR_EXPECTED_MASK: 1002,
  WS_ERR_INVALID_CLOSE_CODE: 1002,
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: 1002,
  WS_ERR_INVALID_OPCODE: 1002,
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNEXPECTED_MASK: 1002,
  WS_ERR_UNEXPECTED_RSV_1: 1002,
  WS_ERR_UNEXPECTED_RSV_2_3: 1002,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009
};

// Receiver and Sender.
const receiver = new WebSocket.Receiver({
  isServer: true,
  maxPayload: 100,
  binaryType: 'arraybuffer'
});
receiver.on('message', (data, isBinary) => void [data.toString(), isBinary]);
receiver.on('conclude', (code, reason) => code.toFixed() + reason.toString());
receiver.write(Buffer.from([0x81, 0x80, 0, 0, 0, 0]));
const frames: Buffer[] = WebSocket.Sender.frame('text', {
  fin: true,
  opcode: 1,
  mask: false,
  readOnly: false,
  rsv1: false
});
const sender = new WebSocket.Sender(new PassThrough(), {}, (mask) => mask.fill(0));
sender.sendFrame(frames, (error) => void error);
sender.send('x', { binary: false, compress: false, fin: true, mask: false });
sender.close(1000, 'reason', false);

// Extensions.
const deflate = new WebSocket.PerMessageDeflate({ isServer: true, maxPayload: 10, threshold: 0 });
const offers = WebSocket.extension.parse('permessage-deflate; client_max_window_bits');
deflate.accept(offers[WebSocket.PerMessageDeflate.extensionName] ?? []);
deflate.compress('data', true, (error, result) => (error ? undefined : result?.length));
deflate.cleanup();
const header: string = WebSocket.extension.format({ 'permessage-deflate': deflate.offer() });
const names: Set<string> = WebSocket.subprotocol.parse('a, b');
void [binaryTypes, codes, header, names];

// Errors.
// @ts-expect-error a time is a number
new WebSocket('ws://127.0.0.1/', { closeTimeout: '1s' });
// @ts-expect-error opcode is needed
WebSocket.Sender.frame('x', { fin: true });
// @ts-expect-error only negotiated parameters can be read, not set
deflate.params = null;
// @ts-expect-error there is no such form
new WebSocket.Receiver({ binaryType: 'text' });
