'use strict';

// Closing a server: statements W1 to W4.

const { once } = require('node:events');
const { scenario } = require('../run');

/** Closes a server and records its callback and 'close'. */
function close(t, wss, name = 'close') {
  return new Promise((resolve) => {
    t.attempt('server', name, () =>
      wss.close((err) => {
        t.log('server', `${name} called back`, err);
        resolve();
      })
    );
  });
}

scenario('W1 close leaves connections open', 'pair', async (t) => {
  const { wss, server, client } = await t.pair();
  wss.on('close', () => t.log('server', 'close event', wss.clients.size));
  const closed = close(t, wss);
  t.log('server', 'address', wss.address());
  server.send('still here');
  await t.emitted(client, 'message');
  client.send('me too');
  await t.emitted(server, 'message');
  client.close(1000);
  await closed;
  await t.closed(server, client);
});

scenario('W1 no new connections while closing', 'pair', async (t) => {
  const { wss, client, server } = await t.pair();
  const url = t.url(wss);
  const closed = close(t, wss);
  const late = t.openClient(url);
  await t.closed(late);
  client.terminate();
  await t.closed(server, client);
  await closed;
});

scenario('W2 close without connections', 'server', async (t) => {
  const wss = await t.listen();
  wss.on('close', () => t.log('server', 'close event'));
  const closed = close(t, wss);
  process.nextTick(() => t.log('server', 'tick'));
  await closed;
});

for (const clientTracking of [true, false]) {
  scenario(`W2 noServer, clientTracking ${clientTracking}`, 'pair', async (t) => {
    const server = await t.http();
    const wss = await t.listen({ noServer: true, clientTracking });
    server.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
    });
    const client = t.openClient(t.url(server));
    const { server: ws } = await t.accepted(wss);
    await t.opened(client);
    wss.on('close', () => t.log('server', 'close event'));
    const closed = close(t, wss);
    if (!clientTracking) await closed;
    t.trace.event('server', 'state', [], ws);
    client.close();
    await t.closed(ws, client);
    await closed;
  });
}

scenario('W2 noServer without connections closes on the next tick', 'server', async (t) => {
  const wss = await t.listen({ noServer: true });
  wss.on('close', () => t.log('server', 'close event'));
  const before = new Promise((resolve) => process.nextTick(resolve));
  const closed = close(t, wss);
  t.log('server', 'returned');
  await before;
  await closed;
});

scenario(
  'W2 listeners are removed from an external server, which stays open',
  'pair',
  async (t) => {
    const server = await t.http((request, response) => response.end('open'));
    const counts = () =>
      ['upgrade', 'listening', 'error'].map((event) => server.listenerCount(event));
    const before = counts();
    const wss = await t.listen({ server });
    t.log('server', 'added', ...counts().map((count, i) => count - before[i]));
    const client = t.openClient(t.url(server));
    const { server: ws } = await t.accepted(wss);
    await t.opened(client);
    const closed = close(t, wss);
    t.log('server', 'left', ...counts().map((count, i) => count - before[i]));
    client.close();
    await t.closed(ws, client);
    await closed;
    t.log('server', 'listening', server.listening);
  }
);

scenario('W3 close twice, and once more when closed', 'server', async (t) => {
  const wss = await t.listen();
  let events = 0;
  wss.on('close', () => t.log('server', 'close event', ++events));
  await Promise.all([close(t, wss, 'first'), close(t, wss, 'second')]);
  await close(t, wss, 'third');
  t.attempt('server', 'without callback', () => wss.close());
  await once(wss, 'close');
});

scenario('W3 close before listening', 'server', async (t) => {
  const wss = new t.Server({ host: '127.0.0.1', port: 0 });
  wss.on('listening', () => t.log('server', 'listening'));
  await close(t, wss);
});

scenario('W4 clients are removed before close listeners run', 'pair', async (t) => {
  const { wss, server, client } = await t.pair();
  server.on('close', () => t.log('server', 'in close', wss.clients.size, wss.clients.has(server)));
  t.log('server', 'open', wss.clients.size, wss.clients.has(server));
  client.close();
  await t.closed(server, client);
});

scenario('W4 terminate all clients while iterating', 'pair', async (t) => {
  const wss = await t.listen();
  const clients = [];
  const servers = [];
  for (let i = 0; i < 5; i++) {
    clients.push(t.openClient(t.url(wss)));
    servers.push((await t.accepted(wss)).server);
    await t.opened(clients[i]);
  }
  let count = 0;
  wss.clients.forEach((ws) => {
    count++;
    ws.terminate();
  });
  t.log('server', 'terminated', count);
  await t.closed(...clients, ...servers);
  t.log('server', 'left', wss.clients.size);
  await close(t, wss);
});

scenario('W4 broadcast to all clients', 'pair', async (t) => {
  const wss = await t.listen();
  const clients = [];
  for (let i = 0; i < 5; i++) {
    clients.push(t.openClient(t.url(wss)));
    await t.accepted(wss);
    await t.opened(clients[i]);
  }
  const servers = [...wss.clients];
  for (const ws of servers) {
    ws.send('to all');
    ws.send(Buffer.alloc(1000, 7));
    ws.ping('ping to all');
  }
  for (const client of clients) await t.emitted(client, 'ping');
  for (const server of servers) await t.emitted(server, 'pong');
});

scenario('W1 events of the http.Server are forwarded', 'server', async (t) => {
  const server = require('node:http').createServer();
  t.defer(() => server.close());
  const wss = await t.listen({ server });
  wss.on('listening', (...args) => t.log('server', 'listening', ...args));
  wss.on('error', (err) => t.log('server', 'error', err));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.emit('error', new Error('by hand'));
});

scenario('W2 the http.Server of port mode closes with the last socket', 'pair', async (t) => {
  const { wss, server, client } = await t.pair();
  let done = false;
  const closed = close(t, wss).then(() => (done = true));
  client.ping();
  await t.emitted(client, 'pong');
  await t.emitted(server, 'ping');
  t.log('server', 'closed already', done);
  server.terminate();
  await closed;
  await t.closed(server, client);
});
