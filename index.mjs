// The public entry for import: the same objects as index.js gives, as named exports.

import WebSocket from './index.js';

export const {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  subprotocol,
  WebSocketServer
} = WebSocket;

export { WebSocket };
export default WebSocket;
