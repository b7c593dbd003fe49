// The two libraries with the API of ws, for servers/ and clients/. The environment selects their
// variants: WS_NO_BUFFER_UTIL is read by ws, FERROWS_TRANSPORT by ferrows.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** ws, with bufferutil unless WS_NO_BUFFER_UTIL is set. */
export function ws() {
  const { WebSocket, WebSocketServer } = require('ws');
  // ws falls back to JavaScript silently, which would falsify the subject ws+bufferutil.
  const bufferutil = process.env.WS_NO_BUFFER_UTIL
    ? ''
    : ` with bufferutil ${require('bufferutil') && require('bufferutil/package.json').version}`;
  return {
    WebSocket,
    WebSocketServer,
    version: `ws ${require('ws/package.json').version}${bufferutil}`
  };
}

/** ferrows of this clone, or of the one in FERROWS_CLONE. */
export function ferrows() {
  const clone = process.env.FERROWS_CLONE || '..';
  const { WebSocket, WebSocketServer } = require(`${clone}/index.js`);
  const { version } = require(`${clone}/package.json`);
  return { WebSocket, WebSocketServer, version: `ferrows ${version}` };
}
