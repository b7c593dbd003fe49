'use strict';

// AsyncLocalStorage in listeners and callbacks: statements X1 and X2.

const { scenario } = require('../run');

const EVENTS = ['open', 'message', 'ping', 'pong', 'close'];

scenario('X1 events of a client run in the context of its constructor', 'pair', async (t) => {
  const storage = t.storage();
  const wss = await t.listen();
  const client = storage.run('constructor', () => t.openClient(t.url(wss)));
  storage.run('listeners', () => {
    for (const event of EVENTS) {
      client.on(event, () => t.log('client', `context of ${event}`, storage.getStore()));
    }
  });
  const { server } = await t.accepted(wss);
  await t.opened(client);
  await storage.run('sender', async () => {
    server.send('x');
    server.ping();
    await t.emitted(client, 'ping');
    await t.emitted(server, 'pong');
    client.ping();
    await t.emitted(client, 'pong');
    await t.emitted(server, 'ping');
    client.close();
  });
  await t.closed(server, client);
});

scenario('X1 events of a failing client', 'client', async (t) => {
  const storage = t.storage();
  const listening = await t.rawServer();
  const client = storage.run('constructor', () => t.openClient(listening.url));
  for (const event of ['error', 'close']) {
    client.on(event, () => t.log('client', `context of ${event}`, storage.getStore()));
  }
  (await listening.next()).finish();
  await t.closed(client);
});

scenario(
  'X1 events of a server socket do not run in the context of the connection listener',
  'pair',
  async (t) => {
    const storage = t.storage();
    const wss = await t.listen();
    wss.on('connection', (ws) => {
      t.log('server', 'context of connection', storage.getStore());
      storage.run('connection listener', () => {
        for (const event of EVENTS) {
          ws.on(event, () => t.log('server', `context of ${event}`, storage.getStore()));
        }
      });
    });
    const client = t.openClient(t.url(wss));
    const { server } = await t.accepted(wss);
    await t.opened(client);
    client.send('x');
    client.ping();
    await t.emitted(client, 'pong');
    await t.emitted(server, 'ping');
    server.ping();
    await t.emitted(server, 'pong');
    await t.emitted(client, 'ping');
    client.close();
    await t.closed(server, client);
  }
);

scenario('X2 callbacks run in the context of the call', 'pair', async (t) => {
  const storage = t.storage();
  const { server, client } = await t.pair();
  for (const [lane, ws] of Object.entries({ client, server })) {
    const called = [];
    for (const name of ['first', 'second']) {
      for (const call of ['send', 'ping', 'pong']) {
        called.push(
          new Promise((resolve) => {
            storage.run(`${name} ${call}`, () => {
              ws[call]('x', () =>
                resolve(t.log(`${lane} callbacks`, 'context', storage.getStore()))
              );
            });
          })
        );
      }
    }
    await Promise.all(called);
    // Two pongs sent by the program and two that answer pings: all of them before the other side sends.
    const other = ws === client ? server : client;
    await t.emitted(other, 'pong', ws === client ? 2 : 4);
    await t.emitted(ws, 'pong', ws === client ? 2 : 4);
  }
  client.close();
  await t.closed(server, client);
  for (const [lane, ws] of Object.entries({ client, server })) {
    await new Promise((resolve) => {
      storage.run('after close', () => {
        ws.send('x', () => resolve(t.log(`${lane} callbacks`, 'context', storage.getStore())));
      });
    });
  }
});

scenario('X1 microtasks of a listener keep its context', 'pair', async (t) => {
  const storage = t.storage();
  const wss = await t.listen();
  const client = storage.run('constructor', () => t.openClient(t.url(wss)));
  const { server } = await t.accepted(wss);
  const done = new Promise((resolve) => {
    client.on('message', async () => {
      await Promise.resolve();
      t.log('client', 'after await', storage.getStore());
      setImmediate(() => resolve(t.log('client', 'immediate', storage.getStore())));
    });
  });
  server.send('x');
  await done;
});
