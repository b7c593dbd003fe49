'use strict';

// Many connections that compress at once: statements S7 and Z4.

const { scenario } = require('../run');
const { digits, noise } = require('../deflate');

const ON = { perMessageDeflate: true };

scenario('S7 deflate: a broadcast', 'pair', async (t) => {
  const wss = await t.listen(ON);
  const clients = [];
  for (let i = 0; i < 6; i++) {
    const client = t.openClient(t.url(wss), undefined, { perMessageDeflate: i % 3 !== 0 });
    await t.accepted(wss);
    await t.opened(client);
    clients.push(client);
  }
  const large = noise(300000);
  for (const data of [digits(100), Buffer.from(digits(2000)), large, 'last']) {
    for (const one of wss.clients) one.send(data);
  }
  await Promise.all(clients.map((client) => t.emitted(client, 'message', 4)));
});

scenario('Z4 deflate: many connections that compress at once', 'pair', async (t) => {
  const wss = await t.listen(ON);
  const pairs = [];
  for (let i = 0; i < 30; i++) {
    const client = t.openClient(t.url(wss), undefined, ON);
    const { server } = await t.accepted(wss);
    await t.opened(client);
    pairs.push({ server, client });
  }
  for (const [i, { server, client }] of pairs.entries()) {
    server.send(Buffer.alloc(1 << 18, `server ${i}`));
    client.send(digits(100000, `client ${i}`));
  }
  for (const { server, client } of pairs) {
    await t.emitted(server, 'message');
    await t.emitted(client, 'message');
  }
});

scenario('Z4 deflate: many connections that end while they compress', 'pair', async (t) => {
  const wss = await t.listen(ON);
  const pairs = [];
  for (let i = 0; i < 30; i++) {
    const client = t.openClient(t.url(wss), undefined, ON);
    const { server } = await t.accepted(wss);
    await t.opened(client);
    pairs.push({ server, client });
  }
  const sent = pairs.flatMap(({ server }, i) =>
    Array.from(
      { length: 3 },
      () =>
        new Promise((resolve) => {
          server.send(Buffer.alloc(1 << 19, `server ${i}`), (err) => {
            t.log(`sent ${i}`, 'sent', err);
            resolve(undefined);
          });
        })
    )
  );
  // All but three of them: these three, and later connections, are served.
  for (const { server } of pairs.slice(3)) server.terminate();
  for (const { client } of pairs.slice(0, 3)) await t.emitted(client, 'message', 3);
  await t.closed(...pairs.slice(3).flatMap(({ server, client }) => [server, client]));
  const client = t.openClient(t.url(wss), undefined, ON);
  const { server } = await t.accepted(wss);
  await t.opened(client);
  server.send('and the next');
  await t.emitted(client, 'message');
  // With ws the jobs of connections that have ended wait for their turn.
  await Promise.all(sent);
});
