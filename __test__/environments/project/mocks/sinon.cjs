'use strict';

// Spies, stubs and stub instances of Sinon.

const { once } = require('node:events');
const sinon = require('sinon');
const WebSocket = require('ws');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

(async () => {
  const names = ['send', 'ping', 'pong', 'close', 'terminate', 'emit', 'pause', 'resume'];
  const spies = names.map((name) => sinon.spy(WebSocket.prototype, name));
  await specs['an echo'](WebSocket);
  await specs['an end without a close frame'](WebSocket);
  record(
    'spies',
    spies.map((spy, index) => [names[index], spy.callCount])
  );
  sinon.restore();

  const instance = sinon.createStubInstance(WebSocket);
  instance.send.returns('stubbed');
  const functions = [];
  for (const name in instance) {
    const { value } = Object.getOwnPropertyDescriptor(instance, name) ?? {};
    if (typeof value === 'function') functions.push(name);
  }
  record('createStubInstance', [
    instance instanceof WebSocket,
    instance.send('text'),
    instance.close(),
    functions.sort(),
    Object.keys(instance).filter((name) => !functions.includes(name))
  ]);
  const server = sinon.createStubInstance(WebSocket.WebSocketServer);
  record('createStubInstance of a server', [
    server instanceof WebSocket.Server,
    server.close(),
    server.address()
  ]);

  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  const pong = sinon.stub(WebSocket.prototype, 'pong');
  const handle = sinon.stub(wss, 'shouldHandle').callThrough();
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
  const connected = once(wss, 'connection');
  await once(client, 'open');
  const [ws] = await connected;
  sinon.stub(ws, 'readyState').value(WebSocket.CLOSING);
  client.ping('unanswered');
  await once(ws, 'ping');
  record('stubs', [pong.callCount, handle.callCount, ws.readyState]);
  sinon.restore();
  const closed = once(client, 'close');
  client.close(1000, 'done');
  record('stubs are restored', [(await closed)[0], ws.readyState]);
  wss.close();
})();
