'use strict';

// The http.Server of a server with its own listener: listeners, methods and properties work as with Node's. `_server` of 3.1.

const { once } = require('node:events');
const { Duplex, PassThrough } = require('node:stream');
const { scenario } = require('../run');
const { KEY, OPCODE, frame } = require('../frames');
const { exchange } = require('../endings');
const { upgradeRequest } = require('../raw-peer');
const { answerText } = require('../snapshots');

const GET = 'GET /plain HTTP/1.1\r\nHost: a\r\n\r\n';

scenario('3.1 bytes after a handshake are counted once', 'server', async (t) => {
  const wss = await t.listen();
  const behind = frame(OPCODE.text, 'behind', { key: KEY });
  const raw = await t.rawClient(wss);
  raw.write(Buffer.concat([Buffer.from(upgradeRequest()), behind]));
  const { server } = await t.accepted(wss);
  const { _socket: socket } = server;
  await t.emitted(server, 'message');
  t.log('counters', 'read', socket.bytesRead - upgradeRequest().length, socket.bytesWritten);
  await raw.head();
  raw.send(OPCODE.text, 'once more');
  await t.emitted(server, 'message', 2);
  t.log('counters', 'read', socket.bytesRead - upgradeRequest().length, socket.bytesWritten);
});

scenario('3.1 listeners of the http.Server, added at any time', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  for (const round of ['first', 'second']) {
    server.on('connection', (socket) => t.log(round, 'connection', socket.server === server));
    server.on('upgrade', (request, socket, head) => {
      t.log(round, 'upgrade', request, socket === request.socket, head);
      t.log(round, 'accepted already', wss.clients.size);
    });
    server.prependListener('upgrade', (request) => t.log(round, 'before', request));
    const { raw } = await t.request(wss, { target: `/${round}` });
    const { server: ws } = await t.accepted(wss);
    await exchange(t, { raw, ws });
    raw.finish();
    await t.closed(ws);
  }
});

scenario('3.1 the listener of upgrade is removed and added again', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  const [original] = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  const { raw } = await t.request(wss, { headers: { Connection: 'upgrade, close' } });
  t.log('wire', 'body', await raw.bytes(16));
  raw.finish();
  server.on('upgrade', (request, socket, head) => {
    t.log('server', 'upgrade', request, head);
    if (request.url === '/mine') socket.end('HTTP/1.1 200 Mine\r\n\r\n');
    else original(request, socket, head);
  });
  const mine = await t.sendRequest(wss, { target: '/mine' });
  t.log('wire', 'mine', answerText(await mine.rest()));
  mine.finish();
  const { raw: good } = await t.request(wss, { target: '/good' });
  const { server: ws } = await t.accepted(wss);
  await exchange(t, { raw: good, ws });
});

scenario('3.1 a program that speaks another protocol on upgrade', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  const [original] = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request, socket, head) => {
    if (request.headers.upgrade !== 'echo') return original(request, socket, head);
    t.log('server', 'echo', head, socket.readableFlowing, socket.listenerCount('end'));
    socket.write('HTTP/1.1 101 Echo\r\n\r\n');
    socket.unshift(head);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => t.log('server', 'end') ?? socket.end('bye'));
    return socket.on('close', () => wss.emit('gone'));
  });
  const gone = once(wss, 'gone');
  const raw = await t.sendRequest(wss, `${upgradeRequest({ headers: { Upgrade: 'echo' } })}early`);
  t.logHead(await raw.head());
  t.log('wire', 'echo', await raw.bytes(5));
  raw.write('later');
  t.log('wire', 'echo', await raw.bytes(5));
  raw.finish();
  t.log('wire', 'rest', await raw.rest());
  await gone;
});

scenario('3.1 connections are counted by the http.Server', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  const count = () =>
    new Promise((resolve) => {
      server.getConnections((err, all) => resolve([err, all]));
    });
  t.log('server', 'none', await count());
  const raws = [];
  for (const number of [1, 2, 3]) {
    const { raw } = await t.request(wss, {});
    raws.push({ raw, ws: (await t.accepted(wss)).server });
    t.log('server', number, await count());
  }
  const half = await t.sendRequest(wss, GET);
  await half.head();
  t.log('server', 'with a plain one', await count());
  for (const { raw, ws } of raws) {
    const closed = new Promise((resolve) => ws.on('close', resolve));
    raw.finish();
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    t.log('server', 'less', await count());
  }
  t.log('server', 'returned', server.getConnections(() => {}) === server);
});

scenario('3.1 maxConnections of the http.Server', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  server.maxConnections = 1;
  server.on('drop', (data) => t.log('server', 'drop', Object.keys(data ?? {})));
  const { raw } = await t.request(wss, {});
  const { server: ws } = await t.accepted(wss);
  const refused = await t.rawClient(wss);
  t.log('wire', 'refused', await refused.rest());
  refused.finish();
  const closed = new Promise((resolve) => ws._socket.on('close', resolve));
  raw.finish();
  await closed;
  await new Promise((resolve) => setImmediate(resolve));
  const { raw: next } = await t.request(wss, {});
  await t.accepted(wss);
  next.finish();
});

scenario('3.1 closeAllConnections and closeIdleConnections', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  const silent = await t.rawClient(wss);
  const idle = await t.sendRequest(wss, GET);
  t.logHead(await idle.head());
  await idle.bytes(16);
  const { raw } = await t.request(wss, {});
  const { server: ws } = await t.accepted(wss);
  server.closeIdleConnections();
  t.log('wire', 'idle', await idle.rest());
  silent.write(GET);
  t.log('wire', 'silent', await silent.head().then(answerText, () => 'ended'));
  const half = await t.sendRequest(wss, 'GET /half');
  const other = await t.sendRequest(wss, { target: '/other' });
  await t.accepted(wss);
  await other.head();
  server.closeAllConnections();
  await half.rest();
  t.log('wire', 'half', half.ended || half.closed);
  await exchange(t, { raw, ws });
});

scenario('3.1 timeouts of the http.Server', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  const names = ['headersTimeout', 'requestTimeout', 'keepAliveTimeout', 'timeout'];
  const more = [
    'maxHeadersCount',
    'maxRequestsPerSocket',
    'maxConnections',
    'connectionsCheckingInterval'
  ];
  for (const name of [...names, ...more]) t.log('server', name, server[name]);
  t.log('server', 'setTimeout', server.setTimeout(60_000) === server, server.timeout);
  server.maxRequestsPerSocket = 1;
  server.keepAliveTimeout = 60_000;
  server.maxHeadersCount = 3;
  server.on('dropRequest', (request) => t.log('server', 'dropRequest', request));
  const raw = await t.sendRequest(wss, GET + GET);
  t.logHead(await raw.head());
  await raw.bytes(16);
  t.logHead(await raw.head());
  raw.finish();
  await raw.rest();
  server.maxHeadersCount = 5;
  const { raw: sixth, head } = await t.request(wss, { headers: { 'X-Sixth': 'hidden' } });
  // Newer versions of Node throw.
  if (head.startsWith('HTTP/1.1 101')) {
    const { request } = await t.accepted(wss);
    t.log('server', 'headers', request.headers, request.rawHeaders.length, request.socket.timeout);
  }
  sixth.finish();
});

scenario(
  '3.1 a timeout of the http.Server ends silent connections',
  'server',
  async (t) => {
    const wss = await t.listen();
    const server = wss._server;
    server.setTimeout(50, (socket) => {
      t.log('server', 'timed out', socket.bytesRead > 0);
      socket.end('HTTP/1.1 408 Of the program\r\n\r\n');
    });
    const { raw } = await t.request(wss, {});
    const { server: ws } = await t.accepted(wss);
    for (const half of ['', 'GET /half']) {
      const silent = await t.sendRequest(wss, half);
      t.log('wire', 'silent', answerText(await silent.rest()));
      silent.finish();
    }
    // These limits do not apply to upgraded connections.
    await exchange(t, { raw, ws });
  },
  { isWaiting: true }
);

scenario('3.1 a connection that the program passes to the http.Server', 'server', async (t) => {
  const wss = await t.listen();
  const toServer = new PassThrough();
  const toClient = new PassThrough();
  const duplex = Duplex.from({ readable: toServer, writable: toClient });
  const heads = [];
  const answered = new Promise((resolve) => {
    toClient.on('data', (chunk) => {
      heads.push(chunk);
      if (Buffer.concat(heads).includes('hello')) resolve();
    });
  });
  wss._server.emit('connection', duplex);
  toServer.write(upgradeRequest({ target: '/handed' }));
  const { server, request } = await t.accepted(wss);
  t.log('server', 'request', request.url, request.socket === duplex, server._socket === duplex);
  server.send('hello');
  await answered;
  t.logHead(Buffer.concat(heads).toString('latin1').split('\r\n\r\n')[0]);
  toServer.end(frame(OPCODE.close, Buffer.from([3, 232]), { key: KEY }));
  await t.closed(server);
});

scenario('3.1 other events of the http.Server', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  server.on('checkContinue', (request, response) => {
    t.log('server', 'checkContinue', request);
    response.writeContinue();
    response.end('continued');
  });
  server.on('checkExpectation', (request, response) => {
    t.log('server', 'checkExpectation', request);
    response.end('expected');
  });
  server.on('connect', (request, socket, head) => {
    t.log('server', 'connect', request.url, head);
    socket.end('HTTP/1.1 200 Tunnel\r\n\r\n');
  });
  const own = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
  for (const bytes of [
    `GET /c ${own}Expect: 100-continue\r\n\r\n`,
    `GET /e ${own}Expect: something\r\n\r\n`,
    `CONNECT a:1 ${own}\r\n`
  ]) {
    const raw = await t.sendRequest(wss, bytes);
    t.log('wire', 'answer', answerText(await raw.rest()));
    raw.finish();
  }
});

for (const call of ['destroy', 'end']) {
  scenario(`3.1 ${call} in a listener of connection of the http.Server`, 'server', async (t) => {
    const wss = await t.listen();
    wss._server.once('connection', (socket) => {
      t.log('server', call, socket[call]() === socket, socket.remoteAddress, socket.writable);
      socket.on('close', () => wss.emit('gone'));
    });
    const gone = once(wss, 'gone');
    const raw = await t.rawClient(wss);
    t.log('wire', 'rest', answerText(await raw.rest()));
    raw.finish();
    await gone;
    await t.request(wss, {});
    await t.accepted(wss);
  });
}
