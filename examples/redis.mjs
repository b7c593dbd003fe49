// Chat rooms across any number of processes and machines: each runs this server, and Redis publishes the messages to all of
// them. A client may connect to any server.
//
//   npm install redis
//   PORT=8081 node examples/redis.mjs
//   PORT=8082 node examples/redis.mjs      in another terminal, or on another machine
//
// HOST and PORT set the address, by default 127.0.0.1:8080, REDIS_URL that of Redis, by default redis://127.0.0.1:6379. The path
// of the URL is the room. Clients send text and receive JSON: { said, by } (by: the process id) or { notice }.
//
// Redis does not store the messages: a server that is not subscribed at the moment misses them. While Redis is unreachable, the
// server notifies its clients, and refuses messages.

import { once } from 'node:events';
import { createClient } from 'redis';
import { WebSocket, WebSocketServer } from 'ferrows';

const {
  HOST: host = '127.0.0.1',
  PORT: port = '8080',
  REDIS_URL: url = 'redis://127.0.0.1:6379'
} = process.env;

/** Maximum delay between two attempts to connect to Redis, in milliseconds. */
const MAX_DELAY = 2000;

/** Creates a connection to Redis that reconnects. Commands fail while it is disconnected; they are not queued. */
const createConnection = () =>
  createClient({
    url,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: (attempts) => Math.min(50 * 2 ** attempts, MAX_DELAY) }
  });

// A subscribed connection accepts no other commands, so there are two.
const publisher = createConnection();
const subscriber = createConnection();

const server = new WebSocketServer({ host, port: Number(port), maxPayload: 4096 });

/** The clients of this process by room. @type {Map<string, Set<WebSocket>>} */
const rooms = new Map();

const isTogether = () => publisher.isReady && subscriber.isReady;
const notice = (text) => JSON.stringify({ notice: text });
const state = () => notice(isTogether() ? 'together' : 'apart');

function send(client, text) {
  if (client.readyState === WebSocket.OPEN) client.send(text);
}

/** Delivers a message to a room. Each process has one subscription, for all rooms: `room:/path`. */
const deliver = (text, channel) => {
  for (const client of rooms.get(channel) ?? []) send(client, text);
};

server.on('connection', (socket, request) => {
  const channel = `room:${request.url.split('?', 1)[0]}`;
  const room = rooms.get(channel) ?? new Set();
  rooms.set(channel, room.add(socket));

  socket.on('error', (error) => console.error(error.message));
  socket.on('close', () => {
    room.delete(socket);
    if (room.size === 0) rooms.delete(channel);
  });
  socket.on('message', (data) => {
    const text = JSON.stringify({ said: data.toString(), by: process.pid });
    publisher.publish(channel, text).catch(() => {
      send(socket, notice('Not sent: the servers cannot reach each other. Try again.'));
    });
  });
  send(socket, state());
});

/** Notifies the clients when the connection to Redis is lost or restored. */
let wasTogether = false;
function notifyState() {
  if (wasTogether === isTogether()) return;
  wasTogether = isTogether();
  for (const client of server.clients) send(client, state());
}

for (const client of [publisher, subscriber]) {
  // 'ready' is emitted after subscriptions have been restored, 'error' for each failed attempt.
  client.on('ready', notifyState);
  client.on('reconnecting', notifyState);
  client.on('error', (error) => console.error(`Redis: ${error.message}`));
}

server.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exit(1);
});

console.log(`Connecting to Redis at ${url}`);
await Promise.all([once(server, 'listening'), publisher.connect(), subscriber.connect()]);
await subscriber.pSubscribe('room:*', deliver);
console.log(`Listening on ws://${host}:${server.address().port}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    for (const client of server.clients) client.close(1001, 'The server is shutting down');
    publisher.destroy();
    subscriber.destroy();
  });
}
