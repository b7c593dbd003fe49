'use strict';

// A server whose connections have no 'error' listener: prints the uncaught exception, then ends.

const { WebSocketServer } = require(process.env.DIFFERENTIAL_MODULE);

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  console.log(wss.address().port);
});

wss.on('connection', (ws) => {
  ws.on('close', (code) => {
    console.log(`close ${code}`);
    wss.close();
  });
});

process.on('uncaughtException', (err, origin) => {
  console.log(`${origin} ${err.code} ${err.message}`);
});
