// Entry point for import: the exports of index.js as named exports.

import WebSocket from './index.js';

export const {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  shutdown,
  subprotocol,
  WebSocketServer
} = WebSocket;

export { WebSocket };
export default WebSocket;
