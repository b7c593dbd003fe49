// A room on as many processes and machines as you like: each runs this server, and Redis carries what is said from one to
// all (publish/subscribe). A client may connect to any of them.
//
//   npm install redis
//   PORT=8081 node examples/redis.mjs
//   PORT=8082 node examples/redis.mjs      in another terminal, or on another machine
//
// HOST and PORT say where it listens (127.0.0.1:8080), REDIS_URL where Redis is (redis://127.0.0.1:6379). The path of
// a client's address is its room. Clients send texts and get JSON: { said, by } (by: the process) or { notice }.
//
// Redis keeps nothing: who is not subscribed at that moment misses it. When Redis is gone this server says so, to its
// clients and to whoever tries to speak, and goes on when it is back.

import { once } from 'node:events';
import { createClient } from 'redis';
import { WebSocket, WebSocketServer } from 'ferrows';

const {
  HOST: host = '127.0.0.1',
  PORT: port = '8080',
  REDIS_URL: url = 'redis://127.0.0.1:6379'
} = process.env;

/** The longest pause between two attempts to reach Redis, in milliseconds. */
const MAX_PAUSE = 2000;

/** A connection to Redis, which comes back by itself. What cannot be said at once is refused, not kept for later. */
const connection = () =>
  createClient({
    url,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: (attempts) => Math.min(50 * 2 ** attempts, MAX_PAUSE) }
  });

/** A connection that is subscribed can do nothing else, so there are two. */
const publisher = connection();
const subscriber = connection();

const server = new WebSocketServer({ host, port: Number(port), maxPayload: 4096 });

/** The clients of this process by their room. @type {Map<string, Set<WebSocket>>} */
const rooms = new Map();

const isTogether = () => publisher.isReady && subscriber.isReady;
const notice = (text) => JSON.stringify({ notice: text });
const state = () => notice(isTogether() ? 'together' : 'apart');

function send(client, text) {
  if (client.readyState === WebSocket.OPEN) client.send(text);
}

/** One subscription a process, for all rooms: `room:/path`. */
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

/** Tells everybody here when this process loses the others, and when it has found them again. */
let wasTogether = false;
function look() {
  if (wasTogether === isTogether()) return;
  wasTogether = isTogether();
  for (const client of server.clients) send(client, state());
}

for (const client of [publisher, subscriber]) {
  // 'ready' comes when what was subscribed to before is subscribed to again.
  client.on('ready', look);
  client.on('reconnecting', look);
  // Comes with every attempt that fails.
  client.on('error', (error) => console.error(`Redis: ${error.message}`));
}

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
