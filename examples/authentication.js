'use strict';

// A server that asks who somebody is before it answers the handshake. A browser cannot add header fields to a
// WebSocket's request, but it sends the cookies of the page's site along: so what is looked at is a session cookie, and
// the origin, because any page on the web could otherwise open a connection with its visitor's cookies.
//
//   ORIGIN=http://127.0.0.1:8080 node examples/authentication.js      HOST and PORT say where: 127.0.0.1:8080
//
// `Cookie: session=ada-s-secret` and the right `Origin` get in; everybody else gets 401 or 403.

const { createServer } = require('http');
const { WebSocketServer } = require('ferrows');

const {
  HOST: host = '127.0.0.1',
  PORT: port = '8080',
  ORIGIN = 'http://127.0.0.1:8080'
} = process.env;

/** Who is logged in, by what their cookie says. Yours is in a database. */
const SESSIONS = new Map([
  ['ada-s-secret', 'Ada'],
  ['grace-s-secret', 'Grace']
]);

/** Looks a session up, as a database would: not at once. */
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

/** Answers without a WebSocket. */
function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const server = createServer();

server.on('upgrade', async (request, socket, head) => {
  // Until handleUpgrade() takes the socket over, its errors are ours.
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

server.listen(Number(port), host, () => {
  console.log(`Listening on ws://${host}:${server.address().port}`);
});
