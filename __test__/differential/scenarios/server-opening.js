'use strict';

// Opening handshakes that a server accepts: statements H1, H2 and H5 to H8, and the related options.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { PassThrough, Duplex } = require('node:stream');
const { scenario } = require('../run');
const { KEY, OPCODE, decode, frame } = require('../frames');
const { upgradeRequest } = require('../raw-peer');

/** Requests that are accepted: name, changes to a valid request, server options. */
const ACCEPTED = [
  ['a plain request', {}],
  [
    'Upgrade in different case',
    { headers: { Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' } }
  ],
  ['version 8', { headers: { 'Sec-WebSocket-Version': '8' } }],
  ['version 13.0', { headers: { 'Sec-WebSocket-Version': '13.0' } }],
  ['version 013', { headers: { 'Sec-WebSocket-Version': '013' } }],
  ['version 0xd', { headers: { 'Sec-WebSocket-Version': '0xd' } }],
  ['version +13', { headers: { 'Sec-WebSocket-Version': '+13' } }],
  ['a key with spare bits set', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZf==' } }],
  ['HTTP/1.0', { version: '1.0' }],
  ['a path with a query', { target: '/chat?a=/other' }, { path: '/chat' }],
  ['the first of several subprotocols', { headers: { 'Sec-WebSocket-Protocol': 'b ,\ta,c' } }],
  [
    'extensions while deflate is off, even malformed ones',
    { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; ,;=' } }
  ],
  [
    'an unknown extension while deflate is on',
    { headers: { 'Sec-WebSocket-Extensions': 'x-other; a="b", constructor, __proto__; toString' } },
    { perMessageDeflate: true }
  ],
  ['a handshake without Host', { headers: { Host: null } }, undefined],
  ['two Hosts', { headers: { Host: ['a', 'b'] } }]
];

for (const [name, change, options] of ACCEPTED) {
  scenario(`H5 accepts ${name}`, 'server', async (t) => {
    const wss = await t.listen(options);
    const { raw, head } = await t.request(wss, change);
    if (!head.startsWith('HTTP/1.1 101')) {
      t.log('wire', 'body', await raw.rest());
      return;
    }
    const { server } = await t.accepted(wss);
    t.log('server', 'has', server.protocol, server.extensions, server.url, wss.clients.size);
    raw.send(OPCODE.text, 'hello');
    await t.emitted(server, 'message');
  });
}

scenario('H5 a listener of headers can change the response', 'server', async (t) => {
  const wss = await t.listen();
  wss.on('headers', (headers, request) => {
    t.log('server', 'headers', [...headers], request);
    headers.push('Set-Cookie: a=1', 'X-Other: ä');
    headers[2] = 'Connection: upgrade';
  });
  await t.request(wss, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
});

scenario('H5 all is synchronous inside handleUpgrade', 'server', async (t) => {
  const server = await t.http();
  const wss = await t.listen({ noServer: true, clientTracking: true });
  wss.on('headers', () => t.log('server', 'headers', wss.clients.size));
  const done = new Promise((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      const result = wss.handleUpgrade(request, socket, head, (...args) => {
        t.log('server', 'callback', args.length, args[1] === request, args[0]._socket === socket);
        t.trace.event('server', 'state', [wss.clients.has(args[0])], args[0]);
        wss.emit('connection', args[0], request, 'extra');
      });
      t.log('server', 'handleUpgrade returned', result);
      resolve();
    });
  });
  wss.on('connection', (ws, request, extra) => t.log('server', 'extra', extra));
  await t.request(server, {});
  await done;
});

scenario('H5 a second handleUpgrade of one socket throws', 'server', async (t) => {
  const server = await t.http();
  const wss = await t.listen({ noServer: true });
  const done = new Promise((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, () => t.log('server', 'accepted'));
      t.attempt('server', 'second', () => wss.handleUpgrade(request, socket, head, () => {}));
      resolve();
    });
  });
  await t.request(server, {});
  await done;
});

scenario('H6 handleProtocols', 'pair', async (t) => {
  const answers = [(all) => [...all].pop(), () => false, () => 'b', () => undefined, () => 'other'];
  for (const answer of answers) {
    const wss = await t.listen({
      handleProtocols(protocols, request) {
        t.log('server', 'handleProtocols', protocols, request, this === wss.options);
        return answer(protocols);
      }
    });
    const client = t.openClient(t.url(wss), ['a', 'b', 'c']);
    const { server } = await t.accepted(wss);
    t.log('server', 'protocol', server.protocol);
    // A client that got no protocol, or one that it did not request, refuses the response.
    if (['b', 'c'].includes(server.protocol)) await t.opened(client);
    else await t.closed(client, server);
    t.log('client', 'protocol', client.protocol);
  }
});

scenario('H6 handleProtocols is not called without an offer', 'pair', async (t) => {
  const { server, client } = await t.pair({
    server: { handleProtocols: () => t.log('server', 'asked') }
  });
  t.log('client', 'protocol', client.protocol, server.protocol);
});

scenario('H7 frames after the request are delivered after connection', 'server', async (t) => {
  const early = Buffer.concat([
    frame(OPCODE.text, 'one', { key: KEY }),
    frame(OPCODE.ping, 'two', { key: KEY }),
    frame(OPCODE.binary, 'three', { key: KEY })
  ]);
  const { raw, ws } = await t.withRawPeer({}, { after: early });
  raw.close(1000, 'done');
  t.logFrames(...(await raw.framesThrough(OPCODE.close)));
  raw.finish();
  await t.closed(ws);
});

scenario(
  'H7 a frame that begins after the request continues in the next segment',
  'server',
  async (t) => {
    const bytes = frame(OPCODE.text, 'in two halves', { key: KEY });
    const { raw, ws } = await t.withRawPeer({}, { after: bytes.subarray(0, 9) });
    raw.write(bytes.subarray(9));
    await t.emitted(ws, 'message');
  }
);

scenario('H7 a body declared by Content-Length is read as frames', 'server', async (t) => {
  const wss = await t.listen();
  const raw = await t.rawClient(wss);
  const body = frame(OPCODE.text, 'body', { key: KEY });
  raw.write(upgradeRequest({ headers: { 'Content-Length': String(body.length) } }));
  raw.write(body);
  t.logHead(await raw.head());
  const { server } = await t.accepted(wss);
  // Up to Node 24 these are two messages. From 26 on the body belongs to the request and is never read.
  raw.write(frame(OPCODE.text, 'behind the body', { key: KEY }));
  raw.finish();
  await t.closed(server);
});

scenario('H7 handleUpgrade over a Duplex that is not a socket', 'server', async (t) => {
  const toServer = new PassThrough();
  const toClient = new PassThrough();
  const socket = Duplex.from({ readable: toServer, writable: toClient });
  const wss = await t.listen({ noServer: true });
  const request = {
    method: 'GET',
    url: '/',
    headers: {
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13'
    },
    socket
  };
  const head = frame(OPCODE.text, 'head', { key: KEY });
  let bytes = Buffer.alloc(0);
  const answered = new Promise((resolve) => {
    toClient.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const start = bytes.indexOf('\r\n\r\n') + 4;
      const decoded = start > 3 && decode(bytes.subarray(start));
      if (!decoded) return;
      toClient.removeAllListeners('data').resume();
      t.logHead(bytes.toString('latin1', 0, start));
      t.logFrames(decoded);
      resolve();
    });
  });
  wss.handleUpgrade(request, socket, head, (ws) => {
    wss.emit('connection', ws, request);
    ws.on('message', (data) => ws.send(`echo ${data}`));
  });
  await answered;
  const { server } = await t.accepted(wss);
  toServer.write(frame(OPCODE.close, Buffer.from([3, 232]), { key: KEY }));
  toServer.end();
  await t.closed(server);
});

scenario('H8 timeout and Nagle are disabled', 'server', async (t) => {
  const server = await t.http();
  const wss = await t.listen({ server });
  const calls = [];
  server.on('connection', (socket) => {
    for (const name of ['setTimeout', 'setNoDelay']) {
      socket[name] = function (...args) {
        calls.push([name, ...args]);
        return net.Socket.prototype[name].apply(this, args);
      };
    }
  });
  server.prependListener('upgrade', () => calls.splice(0));
  await t.sendRequest(server);
  const { server: ws, request } = await t.accepted(wss);
  for (const call of calls) t.log('server', 'call', ...call);
  t.log('server', 'socket', ws._socket === request.socket, request.socket.timeout);
});

scenario('H2 an external server handles its other requests', 'server', async (t) => {
  const server = await t.http((request, response) => response.end('from the user'));
  const before = server.listenerCount('request');
  const wss = await t.listen({ server });
  t.log('server', 'listeners', server.listenerCount('request') - before);
  t.log('server', 'address', wss.address() === null, wss.address().port === server.address().port);
  const { raw } = await t.request(server, { headers: { Connection: 'close', Upgrade: null } });
  t.log('wire', 'body', await raw.rest());
  await t.request(server, {});
  await t.accepted(wss);
});

scenario('H2 two servers by path on one http.Server', 'pair', async (t) => {
  const server = await t.http();
  const servers = {
    '/a': await t.listen({ noServer: true }),
    '/b': await t.listen({ noServer: true, path: '/b' })
  };
  server.on('upgrade', (request, socket, head) => {
    const wss = servers[request.url];
    if (!wss?.shouldHandle(request)) {
      socket.destroy();
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
  });
  for (const target of ['/a', '/b']) {
    const client = t.openClient(`${t.url(server)}${target}`);
    const { server: ws, request } = await t.accepted(servers[target]);
    t.log('server', 'path', request.url);
    ws.send(`on ${target}`);
    await t.emitted(client, 'message');
  }
  const client = t.openClient(`${t.url(server)}/c`);
  await t.closed(client);
});

scenario('H5 shouldHandle set on the instance is called', 'server', async (t) => {
  const wss = await t.listen();
  wss.shouldHandle = (request) => {
    t.log('server', 'shouldHandle', request);
    return request.url === '/yes';
  };
  const { raw } = await t.request(wss, { target: '/no' });
  t.log('wire', 'body', await raw.rest());
  await t.request(wss, { target: '/yes' });
  await t.accepted(wss);
});

scenario('H5 verifyClient receives origin, secure and request', 'server', async (t) => {
  const wss = await t.listen({
    verifyClient(info) {
      t.log('server', 'verifyClient', Object.keys(info), info.origin, info.secure, info.req);
      return true;
    }
  });
  const headers = { Origin: 'http://a.example', 'Sec-WebSocket-Origin': 'http://b.example' };
  await t.request(wss, { target: '/13', headers });
  await t.accepted(wss);
  await t.request(wss, { target: '/8', headers: { ...headers, 'Sec-WebSocket-Version': '8' } });
  await t.accepted(wss);
  await t.request(wss, { target: '/none' });
  await t.accepted(wss);
});

scenario('H5 verifyClient that accepts later, with frames already sent', 'server', async (t) => {
  let decide;
  const asked = new Promise((resolve) => {
    decide = resolve;
  });
  const wss = await t.listen({ verifyClient: (info, callback) => decide({ info, callback }) });
  const raw = await t.sendRequest(wss);
  const { info, callback } = await asked;
  t.log('server', 'info', info.origin, info.secure);
  raw.send(OPCODE.text, 'sent before the answer');
  // These bytes may or may not have arrived, which must not matter.
  callback(true);
  const { server } = await t.accepted(wss);
  await t.emitted(server, 'message');
});

scenario('H5 verifyClient of one argument that returns a Promise accepts', 'server', async (t) => {
  const wss = await t.listen({ verifyClient: async (info) => info === undefined });
  await t.request(wss, {});
  await t.accepted(wss);
});

scenario('H5 clientTracking off', 'pair', async (t) => {
  const { wss, server, client } = await t.pair({ server: { clientTracking: false } });
  t.log('server', 'clients', 'clients' in wss, wss.clients);
  client.close();
  await t.closed(server, client);
});

scenario('H5 the WebSocket option names the class of connections', 'pair', async (t) => {
  const { WebSocket } = t.serverSubject.lib;
  class Mine extends WebSocket {
    constructor(...args) {
      super(...args);
      t.log('server', 'constructed', args[0], args[1], args[2] === wss.options);
      this.on('open', () => t.log('server', 'open'));
    }
  }
  const wss = await t.listen({ WebSocket: Mine });
  const client = t.openClient(t.url(wss));
  const { server } = await t.accepted(wss);
  t.log('server', 'class', server instanceof Mine, server instanceof WebSocket);
  server.send('x');
  await t.emitted(client, 'message');
});

scenario('H5 options are read at every handshake', 'server', async (t) => {
  const wss = await t.listen();
  wss.options.maxPayload = 3;
  wss.options.handleProtocols = () => 'set-later';
  const { raw } = await t.request(wss, { headers: { 'Sec-WebSocket-Protocol': 'a' } });
  const { server } = await t.accepted(wss);
  raw.send(OPCODE.text, 'four');
  t.logFrames(await raw.frame());
  raw.finish();
  await t.closed(server);
});

scenario('H1 listening and EADDRINUSE', 'server', async (t) => {
  const wss = new t.Server({ port: 0, host: '127.0.0.1' }, function () {
    t.log('server', 'callback', this instanceof net.Server);
  });
  t.defer(() => wss.close());
  wss.on('listening', (...args) => t.log('server', 'listening', ...args));
  await once(wss, 'listening');
  const { port } = wss.address();
  t.hidePort(port);
  t.log('server', 'address', Object.keys(wss.address()), wss.address().family);
  const second = new t.Server({ port, host: '127.0.0.1' });
  const [err] = await once(second, 'error');
  t.log('server', 'error', err);
});

scenario('H1 over a Unix socket of the user', 'pair', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'differential-'));
  t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  t.trace.hide(folder, 'FOLDER');
  const server = http.createServer();
  t.defer(() => server.close());
  const file = path.join(folder, 's');
  server.listen(file);
  await once(server, 'listening');
  const wss = await t.listen({ server });
  t.log('server', 'address', wss.address());
  for (const target of ['', ':/chat?x=1', ':/a:b']) {
    const client = t.openClient(`ws+unix:${file}${target}`);
    const { server: ws, request } = await t.accepted(wss);
    t.log('server', 'request', request.url, request.headers.host);
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
    await t.opened(client);
    t.log('client', 'url', client.url);
    client.send('over a Unix socket');
    await t.emitted(client, 'message');
    client.close(1000, 'done');
    await t.closed(ws, client);
  }
});
