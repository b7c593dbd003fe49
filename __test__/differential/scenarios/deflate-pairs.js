'use strict';

// Two libraries with permessage-deflate between them: negotiation, traffic of every kind, and defaults.

const { once } = require('node:events');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { upgradeRequest } = require('../raw-peer');
const { digits, noise } = require('../deflate');
const { NAME, RSV1, agreement } = require('../deflate-peer');

const ON = { perMessageDeflate: true };
const DEFLATE = { server: ON, client: ON };

/** Settings of both sides, in all combinations. */
const SETTINGS = [
  false,
  true,
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverNoContextTakeover: false, clientNoContextTakeover: false },
  { serverMaxWindowBits: 10, clientMaxWindowBits: 11 },
  { serverMaxWindowBits: 12, clientMaxWindowBits: 12, clientNoContextTakeover: true },
  { serverMaxWindowBits: false, clientMaxWindowBits: false }
];

for (const [i, setting] of SETTINGS.entries()) {
  scenario(`H5 deflate: a server with setting ${i} and clients with each`, 'pair', async (t) => {
    for (const perMessageDeflate of SETTINGS) {
      t.log('agreed', 'settings', setting, perMessageDeflate);
      const wss = await t.listen({ perMessageDeflate: setting });
      const client = t.openClient(t.url(wss), undefined, { perMessageDeflate });
      await Promise.race([t.emitted(client, 'open'), t.emitted(client, 'close')]);
      if (client.readyState !== 1) {
        await t.closed(client, ...wss.clients);
        continue;
      }
      const { server } = await t.accepted(wss);
      t.log('agreed', 'server', ...agreement(server));
      t.log('agreed', 'client', ...agreement(client));
      for (const data of [digits(2000), 'small', digits(2000)]) {
        server.send(data);
        client.send(data);
      }
      await t.emitted(server, 'message', 3);
      await t.emitted(client, 'message', 3);
      client.close(1000);
      await t.closed(server, client);
    }
  });
}

scenario('C4 deflate: a client offers the extension by default', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.watch(t.lane('client'), new t.WebSocket(listening.url));
  const raw = await listening.next();
  const head = await raw.head();
  t.log('wire', 'offer', /^Sec-WebSocket-Extensions: .*$/m.exec(head)?.[0]);
  raw.accept(head, { headers: { 'Sec-WebSocket-Extensions': NAME } });
  await t.opened(ws);
  t.log('client', 'agreed', ...agreement(ws));
  raw.send(OPCODE.text, Buffer.from('f248cdc9c90700', 'hex'), { rsv: RSV1 });
  await t.emitted(ws, 'message');
});

scenario('H5 deflate: a server does not accept the extension by default', 'server', async (t) => {
  const server = await t.http();
  const wss = new t.Server({ server });
  t.defer(() => wss.close());
  wss.on('connection', (ws) => t.log('server', 'agreed', ws.extensions));
  t.log('server', 'option', wss.options.perMessageDeflate);
  await t.request(server, { headers: { 'Sec-WebSocket-Extensions': NAME } });
});

scenario('H5 deflate: extensions is set in the callback of handleUpgrade', 'server', async (t) => {
  const server = await t.http();
  const wss = await t.listen({ noServer: true, perMessageDeflate: true });
  const answered = new Promise((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (ws) => {
        t.watch('server', ws);
        t.log('server', 'called back', ...agreement(ws));
        ws.on('message', (data) => ws.send(`reply to ${data}`, { compress: false }, resolve));
      });
      t.log('server', 'returned');
    });
  });
  // The first message is in the head of the connection.
  const raw = await t.rawClient(server);
  const request = upgradeRequest({ headers: { 'Sec-WebSocket-Extensions': NAME } });
  const hello = Buffer.from('f248cdc9c90700', 'hex');
  const first = raw.make(OPCODE.text, hello, { rsv: RSV1 });
  raw.write(Buffer.concat([Buffer.from(request), first]));
  t.logHead(await raw.head());
  await answered;
  t.logFrames(await raw.frame());
});

scenario('S2 deflate: echo of every type in both directions', 'pair', async (t) => {
  const { server, client } = await t.pair(DEFLATE);
  const payloads = ['', 'text', 'gr\u00fc\u00dfe \ud83e\udd80', Buffer.alloc(0)];
  payloads.push(Buffer.from([0, 255]), noise(70000), 'y'.repeat(300000), noise(300000));
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  let count = 0;
  for (const payload of payloads) {
    for (const compress of [true, false]) {
      client.send(payload, { compress });
      await t.emitted(client, 'message', ++count);
    }
  }
});

scenario('S4 deflate: fragments arrive as one message', 'pair', async (t) => {
  const { server, client } = await t.pair(DEFLATE);
  for (const [from, to] of [
    [server, client],
    [client, server]
  ]) {
    from.send('gr', { fin: false });
    from.ping('between');
    from.send(Buffer.from([0xc3]), { fin: false });
    from.send('', { fin: false });
    from.send(Buffer.from([0xbc]), { fin: false });
    from.send('n', { fin: true });
    from.send(noise(100000), { fin: false });
    from.send(Buffer.alloc(100000, 'y'), { fin: true });
    from.send('not compressed ', { fin: false, compress: false });
    from.send('at all');
    await t.emitted(to, 'message', 3);
    await t.emitted(from, 'pong');
  }
});

scenario('S7 deflate: messages of all sizes in both directions at once', 'pair', async (t) => {
  const { server, client } = await t.pair(DEFLATE);
  const sizes = [0, 1, 100, 1023, 1024, 16384, 65535, 65536, 200000, 1 << 20];
  for (const [i, size] of sizes.entries()) {
    for (const from of [server, client]) {
      from.send('y'.repeat(size));
      from.send(noise(size), { compress: i % 3 !== 0 });
      from.send(digits(size, String(i)), { binary: true });
    }
  }
  server.close(1000, 'done');
  await t.closed(server, client);
});

scenario('3.1 deflate: byte counters count bytes on the wire', 'pair', async (t) => {
  const { server, client } = await t.pair(DEFLATE);
  client.send('y'.repeat(1 << 20));
  await t.emitted(server, 'message');
  const { bytesWritten } = client._socket;
  t.log('client', 'written', bytesWritten > 1000, bytesWritten < 20000);
  t.log('server', 'read', server._socket.bytesRead === bytesWritten);
  client.send('y'.repeat(1 << 20), { compress: false });
  await t.emitted(server, 'message', 2);
  t.log('client', 'written', client._socket.bytesWritten > 1 << 20);
});

scenario('D3 deflate: a stream over compressed messages', 'pair', async (t) => {
  const { server, client } = await t.pair(DEFLATE);
  server.removeAllListeners('message');
  client.removeAllListeners('message');
  const back = t.serverSubject.lib.createWebSocketStream(server);
  back.pipe(back);
  const stream = t.clientSubject.lib.createWebSocketStream(client);
  const chunks = [];
  const all = new Promise((resolve) => {
    stream.on('data', (chunk) => {
      chunks.push(chunk);
      if (chunks.reduce((sum, { length }) => sum + length, 0) === 500000) resolve(undefined);
    });
  });
  for (let i = 0; i < 10; i++) stream.write(i % 2 ? noise(50000, String(i)) : digits(50000));
  await all;
  stream.end();
  await once(stream, 'close');
  t.log('client', 'data', Buffer.concat(chunks));
  await t.closed(server, client);
});

scenario('X1 deflate: compressed messages in the context of the constructor', 'pair', async (t) => {
  const storage = t.storage();
  const wss = await t.listen(ON);
  const client = storage.run('constructor', () => t.openClient(t.url(wss), undefined, ON));
  const { server } = await t.accepted(wss);
  await t.opened(client);
  client.on('message', () => t.log('client', 'context', storage.getStore()));
  server.on('message', () => t.log('server', 'context', storage.getStore()));
  for (const size of [10, 1000, 1 << 20]) {
    storage.run(`server ${size}`, () => server.send('y'.repeat(size)));
    storage.run(`client ${size}`, () => client.send('y'.repeat(size)));
  }
  await t.emitted(client, 'message', 3);
  await t.emitted(server, 'message', 3);
});
