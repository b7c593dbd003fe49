'use strict';

// A client that unrefs its socket once it is open: the process must end by itself.

const WebSocket = require(process.env.DIFFERENTIAL_MODULE);

const ws = new WebSocket(process.env.URL, { perMessageDeflate: false });

ws.on('open', () => {
  console.log('open');
  ws._socket.unref();
});
ws.on('close', () => console.log('close'));
process.on('exit', () => console.log(`exit in state ${ws.readyState}`));
