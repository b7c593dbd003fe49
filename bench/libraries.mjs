// The two libraries that have the API of ws, for servers/ and clients/ alike. The runner's environment chooses between
// their variants: WS_NO_BUFFER_UTIL is read by ws itself, FERROWS_TRANSPORT by ferrows.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** ws, with bufferutil unless WS_NO_BUFFER_UTIL is set. */
export function ws() {
  const { WebSocket, WebSocketServer } = require('ws');
  // ws falls back to JavaScript in silence; a row that says bufferutil must not.
  const bufferutil = process.env.WS_NO_BUFFER_UTIL
    ? ''
    : ` with bufferutil ${require('bufferutil') && require('bufferutil/package.json').version}`;
  return {
    WebSocket,
    WebSocketServer,
    version: `ws ${require('ws/package.json').version}${bufferutil}`
  };
}

/** ferrows, as it is built in this clone, or in the one that FERROWS_CLONE names. */
export function ferrows() {
  const clone = process.env.FERROWS_CLONE || '..';
  const { WebSocket, WebSocketServer } = require(`${clone}/index.js`);
  const { version } = require(`${clone}/package.json`);
  return { WebSocket, WebSocketServer, version: `ferrows ${version}` };
}
