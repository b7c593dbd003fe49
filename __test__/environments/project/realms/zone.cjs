'use strict';

// zone.js is loaded first, and has replaced timers, ticks, promises and emitters: records the zone of each listener.

const { once } = require('node:events');
const all = require('../all.cjs');
const record = require('../record.cjs');
const WebSocket = require('ws');

const zone = Zone.current.fork({ name: 'the program' });

zone.run(async () => {
  const zones = [];
  const note = (emitter, name, ...events) => {
    for (const event of events) {
      emitter.on(event, () => zones.push([name, event, Zone.current.name]));
    }
  };
  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0 });
  note(wss, 'wss', 'listening', 'connection', 'headers', 'close');
  await once(wss, 'listening');
  const connected = once(wss, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
  note(client, 'client', 'open', 'message', 'pong', 'close', 'upgrade');
  const [server] = await connected;
  note(server, 'server', 'message', 'ping', 'close');
  server.on('message', (data) => server.send(data));
  await once(client, 'open');
  client.send('text', () => zones.push(['client', 'sent', Zone.current.name]));
  await once(client, 'message');
  client.ping();
  await once(client, 'pong');
  client.close();
  await once(client, 'close');
  wss.close();
  await once(wss, 'close');
  record('zones', zones.map(String).sort());
  await all(WebSocket);
});
