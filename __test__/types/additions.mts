/** Additions of our types to @types/ws, in ES modules. Compiled against our types only. Never run. */

import DefaultWebSocket, {
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  subprotocol,
  WebSocket,
  WebSocketServer,
  type BinaryType,
  type BlobData,
  type ConnectionOptions,
  type ErrorCode,
  type FrameOptions,
  type ProtocolError,
  type ReceiverOptions,
  type SendOptions,
  type ServerStatistics,
  type SocketOptions,
  type WebSocketEventMap,
  shutdown,
  type PathRequest,
  type ShutdownOptions,
  type ShutdownResult
} from 'ferrows';

// One class under all its names.
const one: typeof WebSocket = DefaultWebSocket;
const two: typeof WebSocketServer = DefaultWebSocket.Server;
const three: typeof Receiver = DefaultWebSocket.Receiver;

const statistics: ServerStatistics = new WebSocketServer({ noServer: true }).stats();
statistics.bytesReceived.toFixed();

// Augmentations work as with @types/ws.
declare module 'ferrows' {
  interface ServerOptions {
    label?: string;
  }
}
new WebSocketServer({ port: 0, label: 'mine' });

const limits: ConnectionOptions = { maxPendingAutoPongs: 1, maxFragments: 2 };
const form: BinaryType = 'blob';
const socket: SocketOptions = { ...limits };
const send: SendOptions = { binary: true };
const read: ReceiverOptions = { ...limits, binaryType: form };
const frame: FrameOptions = { fin: true, opcode: 2 };
const events: (keyof WebSocketEventMap)[] = ['open'];
const code: ErrorCode = 'WS_ERR_EXPECTED_MASK';
const isProtocolError = (error: Error): error is ProtocolError =>
  'code' in error && error.code === code;
const length = (data: BlobData): number => (data instanceof Blob ? data.size : 0);

new WebSocket('ws://127.0.0.1/', limits).send('x', send);
new WebSocket(null, undefined, socket);
new Receiver(read).once('message', (data) => length(data));
Sender.frame(Buffer.alloc(1), frame)[0]?.length.toFixed();
new PerMessageDeflate().offer();
subprotocol.parse(extension.format({ a: { b: [true, 'c'] } })).has('a');
const options: ShutdownOptions = { over: 1000 };
const ended: Promise<ShutdownResult> = shutdown(new WebSocketServer({ noServer: true }), options);
const room = (request: PathRequest) => request.pathParameters['id'];
void [one, two, three, events, isProtocolError, ended, room];
