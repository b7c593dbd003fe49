// The same as subject.cjs, as ESM.

import * as api from 'ws';

const { default: WebSocket, WebSocketServer } = api;

export function send(url, data) {
  const ws = new WebSocket(url);
  ws.on('error', () => {});
  return ws.send(data);
}
export { WebSocket, WebSocketServer };
