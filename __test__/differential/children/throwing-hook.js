'use strict';

// A server whose hook, selected by HOOK, throws in the first handshake. Prints its port, then the uncaught exception.

const { WebSocketServer } = require(process.env.DIFFERENTIAL_MODULE);

const hook = process.env.HOOK;

/** Throws, unless it is the second handshake. */
function fail(request, answer) {
  if (request.url !== '/good') throw new Error(`of ${hook}`);
  return answer;
}

const hooks = {
  verifyClient: { verifyClient: ({ req }) => fail(req, true) },
  handleProtocols: { handleProtocols: (protocols, request) => fail(request, 'a') }
};

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, ...hooks[hook] }, () => {
  console.log(wss.address().port);
});

if (hook === 'shouldHandle') wss.shouldHandle = (request) => fail(request, true);
if (hook === 'headers') wss.on('headers', (lines, request) => fail(request));
wss.on('connection', (ws, request) => {
  ws.on('message', (data) => {
    ws.send(data);
    if (String(data) === 'the end') wss.close();
  });
  if (hook === 'connection') fail(request);
});

process.on('uncaughtException', ({ message }, origin) => {
  console.log(`${origin}: ${message}, clients ${wss.clients.size}`);
});
process.on('exit', (code) => console.log(`exit ${code}`));
