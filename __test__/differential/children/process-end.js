'use strict';

// A server in a child process: prints its port and its events, and changes its http.Server as WHAT says. The process must end
// when nothing keeps it alive, and not before.

const { WebSocketServer } = require(process.env.DIFFERENTIAL_MODULE);

const what = process.env.WHAT;
/** Keeps the process alive until there is a connection. */
const timer = setTimeout(() => {}, what === 'unref with a connection' ? 60_000 : 0);

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  console.log(wss.address().port);
  if (what === 'close') wss.close(() => console.log('closed'));
  if (what.startsWith('unref')) console.log(`chained ${wss._server.unref() === wss._server}`);
  if (what === 'unref and ref') wss._server.ref();
});

wss.on('connection', (ws) => {
  console.log('connection');
  clearTimeout(timer);
  ws.on('message', (data) => ws.send(data));
  ws.on('close', () => {
    console.log('close');
    if (what === 'nothing' || what === 'unref and ref') wss.close(() => console.log('closed'));
  });
});
process.on('exit', (code) => console.log(`exit ${code}`));
