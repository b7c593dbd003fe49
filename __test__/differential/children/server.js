'use strict';

// A server in a child process. Prints its port, then a line per event with the path of the connection. Messages are commands:
//   echo ...       sends it back
//   throw ...      throws in the listener
//   exit ...       sends much, then process.exit(3)
//   close-all      closes the server and every connection: the process must end by itself
// With CATCH=1 exceptions are caught and printed, otherwise they end the process.

const { WebSocketServer } = require(process.env.DIFFERENTIAL_MODULE);

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  console.log(wss.address().port);
});

if (process.env.CATCH) {
  process.on('uncaughtException', (err, origin) => console.log(`${origin}: ${err.message}`));
}

wss.on('connection', (ws, request) => {
  const name = request.url;
  ws.on('message', (data) => {
    const text = String(data);
    console.log(`${name} message ${text}`);
    if (text.startsWith('echo')) ws.send(data);
    if (text.startsWith('throw')) throw new Error(`thrown by ${name}`);
    if (text.startsWith('exit')) {
      for (let i = 0; i < 10; i++) ws.send(`last words ${i}`);
      ws.send(Buffer.alloc(20000, 'x'));
      process.exit(3);
    }
    if (text === 'close-all') {
      wss.close();
      for (const client of wss.clients) client.close(1001, 'all');
    }
  });
  ws.on('error', (err) => console.log(`${name} error ${err.code}`));
  ws.on('close', (code) => console.log(`${name} close ${code}`));
});
