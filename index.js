'use strict';

/*
 * Entry point for require(): the WebSocket class, with all other exports as its properties.
 */

const PerMessageDeflate = require('./lib/permessage-deflate');
const Receiver = require('./lib/receiver');
const Sender = require('./lib/sender');
const WebSocket = require('./lib/websocket');
const WebSocketServer = require('./lib/websocket-server');
const createWebSocketStream = require('./lib/stream');
const extension = require('./lib/extension');
const subprotocol = require('./lib/subprotocol');
const { defineHidden } = require('./lib/node/define');
const { shutdown } = require('./lib/shutdown');

// Not in ws, so not enumerable: programs that copy or list the exports find those of ws.
defineHidden(WebSocket, 'shutdown', shutdown);

module.exports = Object.assign(WebSocket, {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  Server: WebSocketServer,
  subprotocol,
  WebSocket,
  WebSocketServer
});
