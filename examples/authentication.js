'use strict';

// A server that authenticates clients before the handshake, by a session cookie and the origin. A browser cannot add header
// fields to the request of a WebSocket, but sends cookies of the site. Without the check of the origin any page on the web could
// open a connection with the cookies of its visitor.
//
//   ORIGIN=http://127.0.0.1:8080 node examples/authentication.js      HOST and PORT set the address: 127.0.0.1:8080
//
// Accepts `Cookie: session=ada-s-secret` with the configured `Origin`. Other requests are answered with 401 or 403.

const { createServer } = require('http');
const { WebSocketServer } = require('ferrows');

const {
  HOST: host = '127.0.0.1',
  PORT: port = '8080',
  ORIGIN = 'http://127.0.0.1:8080'
} = process.env;

/** Users by session. A real server has them in a database. */
const SESSIONS = new Map([
  ['ada-s-secret', 'Ada'],
  ['grace-s-secret', 'Grace']
]);

/** Finds the user of a session, asynchronously like a database. */
async function findUser(request) {
  const session = /(?:^|;\s*)session=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
  return SESSIONS.get(session);
}

const sockets = new WebSocketServer({ noServer: true, maxPayload: 4096 });

sockets.on('connection', (socket, request, user) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data) => socket.send(`${user} said: ${data}`));
  socket.send(`Welcome, ${user}`);
});

/** Sends an HTTP response and closes the socket. */
function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const server = createServer();

server.on('upgrade', async (request, socket, head) => {
  // handleUpgrade() adds its own 'error' listener; until then errors are ignored here.
  const ignore = () => {};
  socket.on('error', ignore);
  try {
    if (request.headers.origin !== ORIGIN) {
      refuse(socket, '403 Forbidden');
      return;
    }
    const user = await findUser(request);
    if (user === undefined) {
      refuse(socket, '401 Unauthorized');
      return;
    }
    socket.off('error', ignore);
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      sockets.emit('connection', websocket, request, user);
    });
  } catch (error) {
    console.error(error);
    refuse(socket, '500 Internal Server Error');
  }
});

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exitCode = 1;
});

server.listen(Number(port), host, () => {
  console.log(`Listening on ws://${host}:${server.address().port}`);
});
