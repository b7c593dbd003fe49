'use strict';

// A server on a port in use, without a listener of errors: an uncaught exception ends the process.

const { WebSocketServer } = require(process.env.DIFFERENTIAL_MODULE);

const wss = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env.PORT) }, () => {
  console.log('called back');
});
wss.on('listening', () => console.log('listening'));

process.on('uncaughtException', ({ code, syscall, address, message }, origin) => {
  console.log(`${origin}: ${code} ${syscall} ${address} ${message}`);
  console.log(`address ${wss.address()}, listening ${wss._server.listening}`);
});
process.on('exit', (code) => console.log(`exit ${code}`));
