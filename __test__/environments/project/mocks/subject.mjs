// The same as subject.cjs, as ESM.

import WebSocket, { WebSocketServer } from 'ws';

export function send(url, data) {
  const ws = new WebSocket(url);
  ws.on('error', () => {});
  return ws.send(data);
}
export { WebSocket, WebSocketServer };
