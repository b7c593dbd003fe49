'use strict';

// Every member of a server or its handle that Node's sources use, changed or used on a server with its own listener: see
// server-members.js. `_server` of 3.1.

const { createHook } = require('node:async_hooks');
const { randomUUID } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { fork } = require('node:child_process');
const { scenario } = require('../run');
const { exchange } = require('../endings');
const { GET, HANDLE, SETTINGS, UPGRADE } = require('../server-members');

/** Milliseconds without a response. */
const QUIET = 120;

/** Sends a request and records the first line of the response and its socket, or the end of the connection. */
async function sendAndRecord(t, wss, request) {
  const raw = await t.rawClient(wss);
  raw.write(request);
  const head = await raw.head().catch(() => null);
  t.log('wire', 'answer', head === null ? null : head.slice(0, head.indexOf('\r\n')));
  if (head === null || !head.startsWith('HTTP/1.1 101')) {
    raw.finish();
    await raw.gone();
    return;
  }
  const { server: ws } = await t.accepted(wss);
  const { _socket: socket } = ws;
  t.log('server', 'marks', socket.readableHighWaterMark, socket.writableHighWaterMark);
  t.log('server', 'state', socket.allowHalfOpen, socket.isPaused(), socket.timeout);
  t.log('server', 'read', socket.bytesRead === Buffer.byteLength(request));
  await exchange(t, { raw, ws });
  raw.finish();
  await t.closed(ws);
}

for (const [name, row] of Object.entries(SETTINGS)) {
  scenario(
    `3.1 server property ${name}`,
    'server',
    async (t) => {
      const log = (...args) => t.log('program', ...args);
      let undo;
      let wss;
      if (row.isAtOnce) {
        const { Server } = t;
        t.Server = class extends Server {
          constructor(...args) {
            super(...args);
            undo = row.change(this._server, log);
          }
        };
        wss = await t.listen();
        t.Server = Server;
      } else {
        wss = await t.listen();
        undo = row.change(wss._server, log);
      }
      try {
        for (const request of row.requests ?? [UPGRADE, GET]) {
          if (!row.isSilent) {
            await sendAndRecord(t, wss, request);
            continue;
          }
          const raw = await t.rawClient(wss);
          raw.write(request);
          await new Promise((resolve) => setTimeout(resolve, QUIET));
          t.log('wire', 'silent', raw.ended || raw.closed);
          raw.reset();
        }
      } finally {
        undo?.();
      }
    },
    { isWaiting: Boolean(row.isSilent) }
  );
}

for (const [name, use] of Object.entries(HANDLE)) {
  scenario(`3.1 listening handle property ${name}`, 'server', async (t) => {
    const wss = await t.listen();
    t.attempt('server', 'used', () => use(wss._server._handle, wss._server));
    await sendAndRecord(t, wss, UPGRADE);
  });
}

/** Ways to end a listening handle. */
const ENDS = {
  close: (wss, done) => wss._server._handle.close(done),
  'close of the server': (wss, done) => wss._server.close(done),
  'dispose of the server': async (wss, done) => {
    await wss._server[Symbol.asyncDispose]();
    done();
  },
  'reset of the handle': (wss, done) => wss._server._handle.reset(done)
};

for (const [name, end] of Object.entries(ENDS)) {
  scenario(`3.1 nothing listens after ${name}`, 'server', async (t) => {
    const wss = await t.listen();
    const { port } = wss.address();
    const server = wss._server;
    await new Promise((resolve) => end(wss, resolve));
    const client = net.connect(port, '127.0.0.1');
    const [error] = await once(client, 'error');
    t.log('server', 'after', error.code, server.listening);
  });
}

/** Options of a listen() that is called again. */
const AGAIN = {
  'a port': { port: 0, host: '127.0.0.1' },
  'no host': { port: 0 },
  backlog: { port: 0, host: '127.0.0.1', backlog: 5 },
  exclusive: { port: 0, host: '127.0.0.1', exclusive: true },
  'IPv6 only': { port: 0, host: '::1', ipv6Only: true },
  reusePort: { port: 0, host: '127.0.0.1', reusePort: true },
  'an abstract path': () => ({ path: `\0ferrows-${randomUUID()}` }),
  'a path': (folder) => ({ path: path.join(folder, 'socket') }),
  'a path for all': (folder) => ({
    path: path.join(folder, 'socket'),
    readableAll: true,
    writableAll: true
  }),
  'a path of 107 bytes': (folder) => ({ path: pathOf(folder, 107) }),
  'a path of 108 bytes': (folder) => ({ path: pathOf(folder, 108) }),
  'a path of 109 bytes': (folder) => ({ path: pathOf(folder, 109) }),
  'a path that is missing': (folder) => ({ path: path.join(folder, 'missing', 'socket') }),
  'an abstract path for all': () => ({ path: '\0ferrows', readableAll: true })
};

/** A path of this many bytes. */
const pathOf = (folder, length) => path.join(folder, 'p'.repeat(length - folder.length - 1));

for (const [name, given] of Object.entries(AGAIN)) {
  scenario(`3.1 _server listens again: ${name}`, 'server', async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'differential-'));
    t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
    t.trace.hide(folder, 'FOLDER');
    const wss = await t.listen();
    const server = wss._server;
    await new Promise((resolve) => server.close(resolve));
    const options = typeof given === 'function' ? given(folder) : given;
    let heard = 0;
    wss.on('listening', () => heard++);
    let failure = null;
    wss.on('error', (error) => (failure = error));
    try {
      server.listen(options);
    } catch (error) {
      t.log('server', 'threw', error.code, fs.readdirSync(folder).length);
      return;
    }
    await new Promise((resolve) => {
      server.once('listening', resolve);
      server.once('error', resolve);
    });
    t.log('server', 'heard', heard, failure?.code, failure?.errno, failure?.syscall);
    for (const file of fs.readdirSync(folder)) {
      t.log('server', 'mode', (fs.statSync(path.join(folder, file)).mode & 0o666).toString(8));
    }
    if (failure !== null) return;
    t.attempt('server', 'twice', () => server.listen(0));
    const address = server.address();
    t.log('server', 'address', typeof address === 'string' ? address.length : address.family);
    const where =
      typeof address === 'string'
        ? { path: address }
        : { port: address.port, host: address.address };
    const client = net.connect(where);
    client.write(UPGRADE);
    const { server: ws } = await t.accepted(wss);
    t.log('server', 'from', ws._socket.remoteFamily);
    client.destroy();
    await t.closed(ws);
    await new Promise((resolve) => server.close(resolve));
    t.log('server', 'left', fs.readdirSync(folder).length);
  });
}

scenario('3.1 _server listens again until a signal', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  await new Promise((resolve) => server.close(resolve));
  const controller = new AbortController();
  server.listen({ port: 0, host: '127.0.0.1', signal: controller.signal });
  await once(server, 'listening');
  const closed = once(server, 'close');
  controller.abort();
  await closed;
  t.log('server', 'closed', server.listening, server._handle);
});

scenario('3.1 another server listens on the handle of _server', 'server', async (t) => {
  const wss = await t.listen();
  const other = http.createServer((_req, res) => res.end('other'));
  other.on('connection', () => t.log('other', 'connection'));
  t.defer(() => other.close());
  other.listen(wss._server);
  await once(other, 'listening');
  other.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 200 Other\r\n\r\n'));
  await sendAndRecord(t, wss, GET);
  await sendAndRecord(t, wss, UPGRADE);
  t.log('server', 'same', other._handle === wss._server._handle);
});

scenario('3.1 a limit of connections counts open ones', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  server.on('drop', (data) => t.log('server', 'drop', Object.keys(data)));
  const { raw } = await t.request(wss, {});
  const { server: ws } = await t.accepted(wss);
  server.maxConnections = 1;
  const dropped = await t.rawClient(wss);
  await dropped.rest();
  dropped.finish();
  raw.finish();
  await t.closed(ws);
  await sendAndRecord(t, wss, UPGRADE);
});

scenario('3.1 accepted handles are passed to a function of the program', 'server', async (t) => {
  const wss = await t.listen();
  const { _handle: handle } = wss._server;
  const { onconnection } = handle;
  handle.onconnection = function (error, accepted) {
    t.log('program', 'accepted', error, accepted.constructor.name);
    onconnection.call(this, error, accepted);
  };
  await sendAndRecord(t, wss, UPGRADE);
});

scenario('3.1 silent connections are counted, and closed with all', 'server', async (t) => {
  const wss = await t.listen();
  const server = wss._server;
  const count = () =>
    new Promise((resolve) => server.getConnections((_error, all) => resolve(all)));
  const silent = await t.rawClient(wss);
  while ((await count()) < 1) await new Promise((resolve) => setImmediate(resolve));
  const half = await t.sendRequest(wss, 'GET / HT');
  while ((await count()) < 2) await new Promise((resolve) => setImmediate(resolve));
  t.log('server', 'count', await count());
  server.closeAllConnections();
  for (const raw of [silent, half]) {
    await raw.rest();
    raw.finish();
  }
  while ((await count()) > 0) await new Promise((resolve) => setImmediate(resolve));
  t.log('server', 'none', server.listening);
});

scenario('3.1 programs destroy the results of process._getActiveHandles()', 'server', async (t) => {
  const wss = await t.listen();
  const count = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const { raw } = await t.request(wss, {});
  const { server: ws } = await t.accepted(wss);
  const sockets = process
    ._getActiveHandles()
    .filter((one) => one instanceof net.Socket && one.localAddress !== undefined);
  t.log('server', 'resources', count() === sockets.length, sockets.length > 1);
  const mine = process
    ._getActiveHandles()
    .filter(
      (one) => one === wss._server || (one instanceof net.Socket && one.server === wss._server)
    );
  t.log('server', 'handles', mine.map((one) => one.constructor.name).sort());
  const closed = t.closed(ws);
  for (const one of mine) {
    if (one instanceof net.Server) one.close();
    else one.destroy();
  }
  await closed;
  await raw.rest();
  raw.finish();
  t.log('server', 'left', process._getActiveHandles().includes(wss._server));
});

scenario('3.1 async_hooks observe the listening handle and its end', 'server', async (t) => {
  /** @type {Map<number, any>} */
  const open = new Map();
  const hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (type === 'TCPSERVERWRAP') open.set(id, resource);
    },
    destroy: (id) => open.delete(id)
  }).enable();
  const wss = await t.listen();
  t.log(
    'hook',
    'open',
    open.size,
    [...open.values()].map((one) => one.hasRef())
  );
  t.log('hook', 'same', [...open.values()][0] === wss._server._handle);
  const server = wss._server;
  await new Promise((resolve) => server.close(resolve));
  while (open.size > 0) await new Promise((resolve) => setImmediate(resolve));
  hook.disable();
  t.log('hook', 'closed', open.size);
});

scenario('X1 the context of the code that listens', 'server', async (t) => {
  const storage = t.storage();
  for (const isSeen of [false, true]) {
    const store = (event) => t.log('server', event, storage.getStore());
    const wss = await storage.run('listens', () =>
      t.listen({
        verifyClient: (_info, callback) => {
          store('verifyClient');
          callback(true);
        }
      })
    );
    for (const event of ['headers', 'connection', 'close']) wss.on(event, () => store(event));
    if (isSeen) wss._server.on('connection', () => store('connection of the server'));
    wss._server.on('request', () => store('request'));
    for (const request of [GET, UPGRADE, UPGRADE]) await sendAndRecord(t, wss, request);
    await new Promise((resolve) => wss.close(resolve));
  }
});

scenario('3.1 http.createServer is called, even if replaced', 'server', async (t) => {
  const { createServer } = http;
  const calls = [];
  http.createServer = function (...args) {
    const server = Reflect.apply(createServer, this, args);
    calls.push({ types: args.map((arg) => typeof arg), server });
    return server;
  };
  try {
    const wss = await t.listen();
    t.log('program', 'called', calls.length, calls[0]?.types, calls[0]?.server === wss._server);
    await sendAndRecord(t, wss, UPGRADE);
    await sendAndRecord(t, wss, GET);
  } finally {
    http.createServer = createServer;
  }
});

scenario('3.1 _server is sent to a child, which serves', 'server', async (t) => {
  const wss = await t.listen();
  const { port } = wss.address();
  const child = fork(path.join(__dirname, '../children/receive-server.js'));
  t.defer(() => child.kill());
  child.send('server', wss._server);
  await once(child, 'message');
  // Both processes have it: this one closes its own.
  await new Promise((resolve) => wss._server.close(resolve));
  const client = net.connect(port, '127.0.0.1');
  client.on('error', () => {});
  client.write(GET);
  let text = '';
  for await (const chunk of client) text += chunk;
  t.log('wire', 'answer', text.split('\r\n')[0], text.endsWith('child'));
});
