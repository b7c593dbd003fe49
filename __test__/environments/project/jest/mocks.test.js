'use strict';

// Automock of the whole package, spies on its prototypes, and modules that are loaded again.

const { once } = require('node:events');
const additions = require('../additions.cjs');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

/** The functions of an object and of its prototypes, without those of Object. */
const functions = (object) => {
  const names = new Set();
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const { value } = Object.getOwnPropertyDescriptor(at, name);
      if (typeof value === 'function') names.add(name);
    }
  }
  return [...names].sort();
};

test('jest.mock', () => {
  jest.isolateModules(() => {
    jest.mock('ws');
    const WebSocket = require('ws');
    const ws = new WebSocket('ws://127.0.0.1:1');
    ws.send.mockReturnValue(5);
    const mocked = Object.entries(WebSocket)
      .filter(([name]) => !additions.includes(name))
      .map(([name, value]) => [name, typeof value, jest.isMockFunction(value)])
      .sort();
    record('jest.mock', [
      mocked,
      functions(WebSocket.prototype).filter((name) => jest.isMockFunction(ws[name])),
      ws.send('text'),
      ws.on('open', () => {}),
      WebSocket.mock.calls
    ]);
    jest.unmock('ws');
  });
});

test('jest.spyOn', async () => {
  const WebSocket = require('ws');
  const names = [
    'send',
    'ping',
    'pong',
    'close',
    'terminate',
    'pause',
    'resume',
    'setSocket',
    'emitClose'
  ];
  const spies = names.map((name) => jest.spyOn(WebSocket.prototype, name));
  const emit = jest.spyOn(WebSocket.prototype, 'emit');
  const upgrade = jest.spyOn(WebSocket.WebSocketServer.prototype, 'completeUpgrade');
  const seen = [
    await specs['an echo'](WebSocket),
    await specs['an end without a close frame'](WebSocket)
  ];
  record('jest.spyOn', [
    seen,
    spies.map((spy, index) => [names[index], spy.mock.calls.length]),
    emit.mock.calls.map(([name]) => name).sort(),
    upgrade.mock.calls.length
  ]);
  jest.restoreAllMocks();
});

test('a method of its own', async () => {
  const WebSocket = require('ws');
  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  const pong = jest.spyOn(WebSocket.prototype, 'pong').mockImplementation(() => {});
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
  const connected = once(wss, 'connection');
  await once(client, 'open');
  const [server] = await connected;
  client.ping('unanswered');
  const [data] = await once(server, 'ping');
  const closed = once(client, 'close');
  client.close();
  await closed;
  record('a method of its own', [String(data), pong.mock.calls.map(([value]) => String(value))]);
  wss.close();
  jest.restoreAllMocks();
});

test('jest.resetModules', async () => {
  const copies = new Set();
  const seen = [];
  let previous = require('ws');
  for (let time = 0; time < 12; time += 1) {
    jest.resetModules();
    const WebSocket = require('ws');
    copies.add(WebSocket);
    // The server of one copy, the client of another.
    class Mixed extends WebSocket {}
    Mixed.WebSocketServer = previous.WebSocketServer;
    Mixed.WebSocket = Mixed;
    Mixed.createWebSocketStream = WebSocket.createWebSocketStream;
    seen.push(await specs['an echo'](Mixed));
    previous = WebSocket;
  }
  record('jest.resetModules', [copies.size, seen]);
});
