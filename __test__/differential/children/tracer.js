'use strict';

// Patches files of the library by path, as tracing libraries do, then connects a server and a client. Prints the calls that the
// patches observe.

const path = require('node:path');

const file = (name) => path.join(path.dirname(process.env.DIFFERENTIAL_MODULE), 'lib', name);
const WebSocket = require(file('websocket.js'));
const WebSocketServer = require(file('websocket-server.js'));
const Receiver = require(file('receiver.js'));
const { kWebSocket } = require(file('constants.js'));

const role = (ws) => (ws?._isServer ? 'server' : 'client');

/** Replaces a method, which must be configurable and writable. */
function wrap(object, name, make) {
  const found = Object.getOwnPropertyDescriptor(object, name);
  console.log(`shape ${name} ${typeof found?.value} ${found?.configurable} ${found?.writable}`);
  const { value } = found;
  object[name] = make(value);
}

console.log(`shape kWebSocket ${typeof kWebSocket}`);

wrap(WebSocketServer.prototype, 'handleUpgrade', (original) => {
  return function (request, socket, head, callback) {
    console.log(`server handleUpgrade ${request.url} ${head.length}`);
    return original.call(this, request, socket, head, (ws, ...rest) => {
      console.log(`server upgraded ${ws._sender._socket === socket}`);
      callback(ws, ...rest);
    });
  };
});

for (const name of ['send', 'close', 'setSocket']) {
  wrap(WebSocket.prototype, name, (original) => {
    return function (...args) {
      const what = name === 'setSocket' ? typeof args[2] : String(args[0]);
      console.log(`${role(this)} ${name} ${what} ${Boolean(this._sender?._socket)}`);
      return original.apply(this, args);
    };
  });
}

const { on } = Receiver.prototype;
Receiver.prototype.on = Receiver.prototype.addListener = function (name, listener) {
  if (name !== 'message') return on.call(this, name, listener);
  console.log('shape a message listener of a receiver');
  return on.call(this, name, function (data, isBinary) {
    const ws = this[kWebSocket];
    console.log(`${role(ws)} received ${data} ${isBinary} ${ws instanceof WebSocket}`);
    return listener.call(this, data, isBinary);
  });
};

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}/traced`, {
    perMessageDeflate: false
  });
  client.on('open', () => client.send('hello'));
  client.on('message', () => client.close(3000, 'bye'));
});
wss.on('connection', (ws) => {
  ws.on('message', (data) => ws.send(`echo ${data}`));
  ws.on('close', () => wss.close());
});
