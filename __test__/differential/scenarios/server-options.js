'use strict';

// Options, members and events of WebSocketServer that no other file covers: 1.4.

const { once } = require('node:events');
const http = require('node:http');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');

const { text, ping, close } = OPCODE;

scenario('1.4 the options property', 'server', async (t) => {
  const all = [
    {},
    { perMessageDeflate: true },
    { perMessageDeflate: { threshold: 5 } },
    { maxPayload: '100', clientTracking: 0, own: 'kept' },
    { WebSocket: undefined, autoPong: undefined }
  ];
  for (const options of all) {
    const given = Object.freeze({ noServer: true, ...options });
    const wss = new t.Server(given);
    const { WebSocket, ...kept } = wss.options;
    for (const name of Object.keys(kept).sort()) t.log('server', name, kept[name]);
    t.log('server', 'options', typeof WebSocket, wss.options === given);
    t.log('server', 'clients', 'clients' in wss, wss.clients);
  }
});

scenario('1.4 host, port and backlog', 'server', async (t) => {
  const server = http.Server.prototype;
  const original = server.listen;
  const calls = [];
  server.listen = function (...args) {
    calls.push(args);
    return original.apply(this, args);
  };
  try {
    for (const options of [{ backlog: 7 }, { host: '127.0.0.1' }, {}]) {
      const wss = new t.Server({ port: 0, host: '127.0.0.1', ...options }, () => {});
      t.defer(() => wss.close());
    }
  } finally {
    server.listen = original;
  }
  for (const args of calls) t.log('server', 'listen', ...args);
});

scenario('1.4 a callback without port is not called', 'server', async (t) => {
  const server = await t.http();
  const called = () => t.log('server', 'called');
  const wss = new t.Server({ server }, called);
  t.attempt('server', 'noServer', () => new t.Server({ noServer: true }, called) instanceof Object);
  await new Promise((resolve) => setImmediate(resolve));
  t.log('server', 'address', wss.address().port === server.address().port);
  wss.close();
});

scenario('1.4 port as text', 'server', async (t) => {
  const wss = new t.Server({ port: '0', host: '127.0.0.1' });
  await once(wss, 'listening');
  t.log('server', 'listening', wss.address().port > 0);
  await new Promise((resolve) => wss.close(resolve));
});

scenario('1.4 path', 'server', async (t) => {
  for (const path of ['/a', '/', 'a', '/a?b', '', null, 0]) {
    const wss = await t.listen({ path });
    for (const url of ['/a', '/a?b', '/a/', '/', '/?x', '']) {
      t.log('server', `path ${path}`, url, wss.shouldHandle({ url }));
    }
  }
});

scenario('1.4 verifyClient of any number of parameters', 'server', async (t) => {
  const all = [
    () => true,
    (...args) => args.length === 1,
    (info, callback = null) => callback === null,
    (info, callback, more) => more === undefined && callback === undefined,
    () => 'yes',
    () => 0,
    (info, callback) => callback(true),
    (info, callback) => callback('yes'),
    (info, callback) => callback(),
    (info, callback) => callback(false, 404),
    (info, callback) => callback(false, 499, 'own text', { 'X-Own': 'yes' }),
    (info, callback) => process.nextTick(callback, true)
  ];
  for (const verifyClient of all) {
    const wss = await t.listen({ verifyClient });
    const { raw, head } = await t.request(wss, {});
    if (head.startsWith('HTTP/1.1 101')) await t.accepted(wss);
    else t.log('wire', 'body', await raw.rest());
  }
});

scenario('1.4 limits of connections', 'server', async (t) => {
  const all = [{ maxPayload: 3 }, { maxFragments: 1 }, { maxPendingAutoPongs: 1 }];
  for (const options of [...all, { skipUTF8Validation: true }, { autoPong: false }]) {
    const { raw, ws } = await t.withRawPeer(options);
    const bad = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    t.log('server', 'options', options);
    if (options.maxPendingAutoPongs) {
      raw.write(Buffer.concat([1, 2, 3].map((i) => raw.make(ping, String(i)))));
      await t.closed(ws);
      continue;
    }
    raw.write(
      Buffer.concat([
        raw.make(ping, 'p'),
        // If two rules are broken, either may be reported.
        raw.make(text, options.maxFragments ? 'text' : bad, { fin: !options.maxFragments }),
        raw.make(0, 'x', { fin: true })
      ])
    );
    t.logFrames(...(await raw.framesThrough(close)));
  }
});

scenario('1.4 options that change while the server runs', 'server', async (t) => {
  const wss = await t.listen();
  wss.options.autoPong = false;
  wss.options.maxPayload = 2;
  wss.options.path = '/later';
  const { raw: refused } = await t.request(wss, { target: '/now' });
  t.log('wire', 'body', await refused.rest());
  const { raw } = await t.request(wss, { target: '/later' });
  const { server } = await t.accepted(wss);
  raw.send(ping, 'unanswered');
  raw.send(text, 'too long');
  t.logFrames(await raw.frame());
  raw.finish();
  await t.closed(server);
  wss.options.verifyClient = () => false;
  const { raw: third } = await t.request(wss, { target: '/later' });
  t.log('wire', 'body', await third.rest());
});

scenario('1.4 a subclass', 'pair', async (t) => {
  const { WebSocketServer } = t.serverSubject.lib;
  class Mine extends WebSocketServer {
    shouldHandle(request) {
      t.log('mine', 'shouldHandle', request);
      return super.shouldHandle(request) && request.url !== '/no';
    }

    completeUpgrade(extensions, key, protocols, request, ...rest) {
      t.log('mine', 'completeUpgrade', extensions, typeof key, protocols, request, rest.length);
      return super.completeUpgrade(extensions, key, protocols, request, ...rest);
    }

    handleUpgrade(...args) {
      t.log('mine', 'handleUpgrade', args.length);
      return super.handleUpgrade(...args);
    }

    emit(name, ...args) {
      t.log('mine', 'emit', name, args.length);
      return super.emit(name, ...args);
    }
  }
  const wss = new Mine({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  t.defer(() => wss.close());
  await once(wss, 'listening');
  t.hidePort(wss.address().port);
  const connected = once(wss, 'connection');
  const client = t.openClient(`${t.url(wss)}/yes`, ['p']);
  const [server] = await connected;
  t.watch('server', server);
  await t.opened(client);
  t.log('mine', 'is', wss instanceof WebSocketServer, wss.clients.has(server), wss.clients.size);
  await t.closed(t.openClient(`${t.url(wss)}/no`));
  client.close();
  await t.closed(server, client);
});

scenario('1.4 events', 'server', async (t) => {
  const server = http.createServer();
  t.defer(() => server.close());
  const wss = await t.listen({ server });
  const names = ['listening', 'connection', 'headers', 'error', 'close', 'wsClientError'];
  for (const name of names) {
    wss.on(name, (...args) =>
      t.log('server', name, ...args.map((one) => Object.prototype.toString.call(one)))
    );
  }
  server.listen(0, '127.0.0.1');
  await once(wss, 'listening');
  t.hidePort(server.address().port);
  server.emit('error', new Error('of the http.Server'));
  await t.request(server, {});
  const { server: ws } = await t.accepted(wss);
  const failed = once(wss, 'wsClientError');
  await t.sendRequest(server, { headers: { 'Sec-WebSocket-Version': '1' } });
  const [, socket] = await failed;
  socket.destroy();
  ws.terminate();
  await t.closed(ws);
  await new Promise((resolve) => wss.close(resolve));
});
