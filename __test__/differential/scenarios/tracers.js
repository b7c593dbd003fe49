'use strict';

// Features used by tracing libraries: files of lib/ patched by path (3.2), contexts in every event (X1 to X3).

const { scenario } = require('../run');
const { OPCODE } = require('../frames');

scenario(
  '3.2 files of lib/ patched by path',
  'api',
  async (t) => {
    const { code, output } = await t.child('tracer.js', t.serverSubject).finished;
    t.log('child', 'exit', code);
    // Both ends of the connection are in one process and are not ordered against each other.
    for (const line of output) t.trace.line(line.split(' ')[0], line);
  },
  { isWaiting: true }
);

const SOCKET_EVENTS = ['open', 'message', 'ping', 'pong', 'close', 'error', 'upgrade'];

scenario('X1 contexts of everything, from listen to close', 'pair', async (t) => {
  const storage = t.storage();
  const show = (lane, name) => t.log(lane, `context of ${name}`, storage.getStore());
  const http = await storage.run('http', () => t.http());
  const wss = await storage.run('listen', () => t.listen({ noServer: true }));
  wss.on('headers', () => show('server', 'headers'));
  wss.on('close', () => show('server', 'close of the server'));
  http.on('upgrade', (request, socket, head) => {
    storage.run('upgrade listener', () => {
      wss.handleUpgrade(request, socket, head, (ws) => {
        show('server', 'handleUpgrade callback');
        for (const name of SOCKET_EVENTS) ws.on(name, () => show('server', name));
        wss.emit('connection', ws, request);
      });
    });
  });
  const client = storage.run('constructor', () => t.openClient(t.url(http)));
  for (const name of SOCKET_EVENTS) client.on(name, () => show('client', name));
  client.addEventListener('message', () => show('client', 'addEventListener'));
  client.onmessage = () => show('client', 'onmessage');
  const { server } = await t.accepted(wss);
  await t.opened(client);
  await storage.run('exchange', async () => {
    client.send('x', () => show('client calls', 'send'));
    await t.emitted(server, 'message');
    server.send('y', () => show('server calls', 'send'));
    await t.emitted(client, 'message');
    client.ping('z', undefined, () => show('client calls', 'ping'));
    await t.emitted(client, 'pong');
    await t.emitted(server, 'ping');
    server.close(1000);
  });
  await t.closed(server, client);
  await new Promise((resolve) => storage.run('server close', () => wss.close(resolve)));
});

scenario('X1 contexts over a Duplex given to setSocket', 'api', async (t) => {
  const { PassThrough, Duplex } = require('node:stream');
  const { frame } = require('../frames');
  const storage = t.storage();
  const incoming = new PassThrough();
  const socket = Duplex.from({ readable: incoming, writable: new PassThrough().resume() });
  const ws = storage.run('constructor', () => new t.WebSocket(null, undefined, {}));
  ws._isServer = false;
  t.watch('client', ws);
  for (const name of ['open', 'message', 'ping', 'close']) {
    ws.on(name, () => t.log('client', `context of ${name}`, storage.getStore()));
  }
  storage.run('setSocket', () => ws.setSocket(socket, Buffer.alloc(0), {}));
  incoming.write(frame(OPCODE.text, 'x'));
  await t.emitted(ws, 'message');
  storage.run('terminate', () => ws.terminate());
  await t.closed(ws);
});

scenario('X3 contexts of many connections do not mix', 'pair', async (t) => {
  const storage = t.storage();
  const wss = await t.listen();
  wss.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
  const wrong = [];
  const clients = [];
  for (let i = 0; i < 8; i++) {
    const ws = storage.run(`client ${i}`, () => t.openClient(t.url(wss)));
    ws.on('message', (data) => {
      if (storage.getStore() !== `client ${i}`) wrong.push([i, storage.getStore()]);
      if (Number(data) < 5) {
        storage.run(`call ${i}`, () =>
          ws.send(String(Number(data) + 1), () => {
            if (storage.getStore() !== `call ${i}`) wrong.push([i, storage.getStore()]);
          })
        );
      }
    });
    clients.push(ws);
  }
  await Promise.all(clients.map((ws) => t.opened(ws)));
  storage.run('all', () => clients.forEach((ws) => ws.send('0')));
  await Promise.all(clients.map((ws) => t.emitted(ws, 'message', 6)));
  t.log('contexts', 'wrong', wrong);
  for (let i = 0; i < 8; i++) await t.accepted(wss);
});
