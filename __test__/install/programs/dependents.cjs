'use strict';

// Prints the package that Socket.IO and MQTT.js resolve as ws, and exchanges a message with each.

const { once } = require('node:events');
const http = require('node:http');
const { createRequire } = require('node:module');
const { Server } = require('socket.io');
const { io } = require('socket.io-client');
const mqtt = require('mqtt');
const { Aedes } = require('aedes');
const { WebSocketServer, createWebSocketStream } = require('ws');

/** Name of the package that another one resolves as ws. */
const wsOf = (name) => createRequire(require.resolve(name))('ws/package.json').name;

async function listen() {
  const server = http.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: server.address().port };
}

async function socketIo() {
  const { server, port } = await listen();
  const hub = new Server(server, { transports: ['websocket'] });
  hub.on('connection', (socket) => socket.on('echo', (value, answer) => answer(value)));
  const client = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
  await once(client, 'connect');
  const value = await client.emitWithAck('echo', { text: 'Grüße 🦀' });
  const closed = once(client, 'disconnect');
  client.close();
  await closed;
  await hub.close();
  return value.text;
}

async function mqttJs() {
  const { server, port } = await listen();
  const broker = await Aedes.createBroker();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const stream = createWebSocketStream(socket);
    // aedes calls read() once for all data; from Node 26 on, that returns one of several chunks.
    const read = stream.read.bind(stream);
    stream.read = (size) => read(size ?? (stream.readableLength || undefined));
    broker.handle(stream, request);
  });
  const client = await mqtt.connectAsync(`ws://127.0.0.1:${port}`);
  await client.subscribeAsync('topic');
  const message = once(client, 'message');
  await client.publishAsync('topic', 'Grüße 🦀');
  const [, payload] = await message;
  await client.endAsync();
  sockets.close();
  server.close();
  await new Promise((resolve) => broker.close(resolve));
  return String(payload);
}

(async () => {
  console.log(`${wsOf('engine.io')}, ${wsOf('engine.io-client')}, ${wsOf('mqtt')}`);
  console.log(await socketIo());
  console.log(await mqttJs());
})();
