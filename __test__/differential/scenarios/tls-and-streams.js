'use strict';

// Connections over TLS and over a Duplex given to setSocket: C7, H7, 3.1.

const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const tls = require('node:tls');
const { Duplex, PassThrough } = require('node:stream');
const { once } = require('node:events');
const { scenario } = require('../run');
const { KEY, OPCODE, closeBody, decode, frame } = require('../frames');

const fixture = (name) => fs.readFileSync(path.join(__dirname, '../fixtures', name));
const key = fixture('localhost.key.pem');
const cert = fixture('localhost.cert.pem');

/** A WebSocketServer behind TLS. */
async function listenTls(t, serverOptions, tlsOptions) {
  const server = await t.http(undefined, {
    createServer: https.createServer,
    options: { key, cert, ...tlsOptions }
  });
  const wss = await t.listen({ server, ...serverOptions });
  return { wss, url: t.url(server, 'wss') };
}

scenario('C7 wss', 'pair', async (t) => {
  const { wss, url } = await listenTls(t, {
    verifyClient: ({ secure: isSecure }) => {
      t.log('server', 'secure', isSecure);
      return true;
    }
  });
  const client = t.openClient(url, ['a'], { ca: cert });
  const { server, request } = await t.accepted(wss);
  await t.opened(client);
  t.log('server', 'request', request.socket.encrypted, server._socket === request.socket);
  t.log('client', 'socket', client._socket.encrypted, client._socket.authorized, client.url);
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  client.send('grüße');
  client.send(Buffer.alloc(200000, 'large'));
  await t.emitted(client, 'message', 2);
  client.ping('p');
  await t.emitted(client, 'pong');
  await t.emitted(server, 'ping');
  client.close(1000, 'done');
  await t.closed(server, client);
});

scenario('C7 wss with message and close in one write', 'pair', async (t) => {
  const { wss, url } = await listenTls(t);
  const client = t.openClient(url, undefined, { rejectUnauthorized: false });
  const { server } = await t.accepted(wss);
  await t.opened(client);
  server.on('message', (data) => server.send(`reply to ${data}`));
  client.send('last words');
  client.close(3000, 'bye');
  await t.closed(server, client);
});

scenario('C7 wss, terminated', 'pair', async (t) => {
  const { wss, url } = await listenTls(t);
  const client = t.openClient(url, undefined, { ca: cert });
  const { server } = await t.accepted(wss);
  await t.opened(client);
  server.terminate();
  await t.closed(server, client);
});

scenario('C13 an untrusted certificate', 'client', async (t) => {
  const server = await t.http(undefined, {
    createServer: https.createServer,
    options: { key, cert }
  });
  await t.closed(t.openClient(t.url(server, 'wss')));
});

scenario('C13 wss to a server without TLS', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url.replace('ws:', 'wss:'));
  (await listening.next()).write('HTTP/1.1 400 Bad Request\r\n\r\n');
  const [err] = await once(ws, 'error');
  t.log('client', 'code', err.code);
  await t.closed(ws);
});

scenario('C7 SNI', 'client', async (t) => {
  const seen = [];
  const server = await t.http(undefined, {
    createServer: https.createServer,
    options: {
      key,
      cert,
      SNICallback: (name, callback) => {
        seen.push(name);
        callback(null, tls.createSecureContext({ key, cert }));
      }
    }
  });
  const { port } = server.address();
  for (const options of [{}, { servername: 'other.example' }, { servername: '' }]) {
    const ws = t.openClient(`wss://localhost:${port}`, undefined, {
      rejectUnauthorized: false,
      family: 4,
      ...options
    });
    const secured = once(server, 'secureConnection');
    await secured;
    ws.terminate();
    await t.closed(ws);
    t.log('server', 'asked for', seen.splice(0));
  }
});

scenario('C16 credentials are dropped from wss to ws', 'client', async (t) => {
  const plain = await t.http();
  plain.on('upgrade', (request, socket) => {
    t.log('plain', 'headers', request.headers.authorization, request.headers.cookie);
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  const server = await t.http(undefined, {
    createServer: https.createServer,
    options: { key, cert }
  });
  server.on('upgrade', (request, socket) => {
    t.log('secure', 'headers', request.headers.authorization, request.headers.cookie);
    socket.end(
      `HTTP/1.1 302 Found\r\nLocation: ${t.url(plain)}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
    );
  });
  const headers = { authorization: 'Basic Zm9v', Cookie: 'a=b' };
  const ws = t.openClient(t.url(server, 'wss'), undefined, {
    ca: cert,
    headers,
    followRedirects: true
  });
  await t.closed(ws);
});

/** Two Duplex streams connected to each other. */
function duplexPair() {
  const there = new PassThrough();
  const back = new PassThrough();
  return [
    Duplex.from({ readable: there, writable: back }),
    Duplex.from({ readable: back, writable: there })
  ];
}

for (const role of ['client', 'server']) {
  scenario(`H7 setSocket over a Duplex, as a ${role}`, 'api', async (t) => {
    const [near, far] = duplexPair();
    const ws = new t.WebSocket(null, undefined, {});
    ws._isServer = role === 'server';
    t.watch(role, ws);
    const peerKey = role === 'server' ? KEY : undefined;
    let bytes = Buffer.alloc(0);
    const answered = new Promise((resolve) => {
      far.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        for (let one = decode(bytes); one; one = decode(bytes)) {
          t.logFrames(one);
          bytes = bytes.subarray(one.size);
          if (one.opcode === OPCODE.close) resolve();
        }
      });
    });
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
    ws.setSocket(near, frame(OPCODE.text, 'head', { key: peerKey }), {
      maxPayload: 1000,
      skipUTF8Validation: false
    });
    t.trace.event(role, 'state', [ws._socket === near], ws);
    far.write(frame(OPCODE.ping, 'ping', { key: peerKey }));
    far.write(frame(OPCODE.binary, Buffer.alloc(500, 1), { key: peerKey }));
    far.write(frame(OPCODE.close, closeBody(3000, 'bye'), { key: peerKey }));
    await answered;
    far.end();
    await t.closed(ws);
  });
}

scenario('H7 a Duplex that is destroyed', 'api', async (t) => {
  const [near, far] = duplexPair();
  far.on('error', () => {});
  const ws = t.watch('client', new t.WebSocket(null, undefined, {}));
  ws._isServer = false;
  ws.setSocket(near, Buffer.alloc(0), {});
  ws.send('x', (err) => t.log('client', 'sent', !err));
  near.on('error', () => {});
  near.destroy(new Error('gone'));
  await t.closed(ws);
});

scenario('3.1 members of the raw socket', 'pair', async (t) => {
  const { server, client, request } = await t.pair();
  client.send('x'.repeat(1000));
  server.ping();
  await t.emitted(server, 'message');
  await t.emitted(server, 'pong');
  await t.emitted(client, 'ping');
  for (const [lane, ws] of Object.entries({ server, client })) {
    const socket = ws._socket;
    t.log(lane, 'address', socket.remoteAddress, socket.localAddress, socket.remoteFamily);
    t.log(
      lane,
      'ports',
      socket.remotePort > 0,
      socket.localPort > 0,
      Object.keys(socket.address())
    );
    t.log(lane, 'bytes', socket.bytesRead, socket.bytesWritten, socket.writableLength);
    t.log(lane, 'state', socket.readyState, socket.destroyed, socket.writable, socket.readable);
    t.log(lane, 'calls', socket.setNoDelay() === socket, socket.setKeepAlive(true) === socket);
    t.log(lane, 'ref', socket.unref() === socket, socket.ref() === socket);
  }
  t.log('server', 'same socket', server._socket === request.socket);
  client.close();
  await t.closed(server, client);
  t.log('client', 'afterwards', client._socket.destroyed, server._socket === request.socket);
});

scenario(
  '3.1 frames written to the raw socket keep their place',
  ['server', 'client'],
  async (t) => {
    const { raw, ws } = await t.withRawPeer();
    const own = t.kind === 'client' ? { key: KEY } : {};
    ws.send('first');
    ws._socket.write(frame(OPCODE.text, 'second, by hand', own));
    ws.send('third');
    await new Promise((resolve) => ws._socket.write(frame(OPCODE.ping, 'fourth', own), resolve));
    ws._socket.cork();
    ws.send('fifth');
    ws._socket.write(frame(OPCODE.text, 'sixth', own));
    ws._socket.uncork();
    ws.close(1000);
    t.logFrames(...(await raw.framesThrough(OPCODE.close)));
  }
);

scenario(
  '3.1 timeout of the raw socket',
  ['server', 'client'],
  async (t) => {
    const { ws, lane } = await t.withRawPeer();
    const timedOut = new Promise((resolve) => ws._socket.setTimeout(20, resolve));
    await timedOut;
    t.log(lane, 'timed out', ws._socket.timeout);
    ws.terminate();
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario('3.1 _sender.sendFrame with a list of Sender.frame', 'server', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const { Sender } = t.lib;
  const list = Sender.frame(Buffer.from('shared'), {
    readOnly: false,
    mask: false,
    rsv1: false,
    opcode: 1,
    fin: true
  });
  ws.send('before');
  const called = new Promise((resolve) => ws._sender.sendFrame(list, resolve));
  ws._sender.sendFrame(list);
  ws.send('after');
  t.logFrames(await raw.frame(), await raw.frame(), await raw.frame(), await raw.frame());
  t.log('server', 'called back', !(await called), ws._sender._socket === ws._socket);
  t.log('server', 'list', list);
});

scenario('3.1 Receiver by itself', 'api', async (t) => {
  for (const isServer of [true, false]) {
    const peerKey = isServer ? KEY : undefined;
    const receiver = new t.lib.Receiver({ isServer, maxPayload: 100 });
    for (const event of ['message', 'ping', 'pong', 'conclude', 'error', 'finish']) {
      receiver.on(event, (...args) => t.log('receiver', event, ...args));
    }
    receiver.write(frame(OPCODE.text, 'one', { key: peerKey }));
    receiver.write(frame(OPCODE.ping, 'two', { key: peerKey }));
    const written = new Promise((resolve) =>
      receiver._write(frame(OPCODE.binary, 'three', { key: peerKey }), 'binary', resolve)
    );
    t.log('receiver', 'written', await written);
    receiver.write(frame(OPCODE.close, closeBody(1000, 'bye'), { key: peerKey }));
    await new Promise((resolve) => setImmediate(resolve));
    const failing = new t.lib.Receiver({ isServer });
    const error = once(failing, 'error');
    failing.write(frame(3, '', { key: peerKey }));
    t.log('receiver', 'error', ...(await error));
  }
});
