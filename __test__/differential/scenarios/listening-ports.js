'use strict';

// Addresses of a server with its own listener: hosts, ports, paths, and errors of listening. Statement H1, and the options
// host, port and backlog of 1.4.

const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { scenario } = require('../run');
const { upgradeRequest } = require('../raw-peer');

const LOOPBACK = '127.0.0.1';

/** An address without the parts that differ between runs. */
function comparableAddress(address) {
  if (address === null || typeof address !== 'object') return address;
  return { ...address, port: typeof address.port };
}

/** All properties of an error except the stack. */
function errorProperties(err) {
  const own = Object.getOwnPropertyNames(err).filter((name) => name !== 'stack');
  return own.map((name) => [name, err[name]]);
}

/** Closes a server and resolves when it has closed. */
const closeServer = (wss) => new Promise((resolve) => wss.close(resolve));

/** The path of a socket in a folder that is removed after the scenario. */
function socketPath(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'differential-'));
  t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  t.trace.hide(folder, 'FOLDER');
  return path.join(folder, 'socket');
}

/** Exchanges a message in both directions with any listener. */
async function exchange(t, wss, where) {
  const socket = net.connect(where);
  t.defer(() => socket.destroy());
  const connected = once(wss, 'connection');
  socket.write(upgradeRequest({ target: '/where' }));
  const [ws, request] = await connected;
  const { remoteAddress, remoteFamily, localAddress, localFamily } = request.socket;
  t.log('server', 'connection', request.url);
  t.log('server', 'remote', remoteAddress, remoteFamily, typeof request.socket.remotePort);
  t.log('server', 'local', localAddress, localFamily, typeof request.socket.localPort);
  t.log('server', 'address', comparableAddress(request.socket.address()));
  let bytes = Buffer.alloc(0);
  const answered = new Promise((resolve) => {
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.includes('hello')) resolve();
    });
  });
  ws.send('hello');
  await answered;
  const ended = once(ws, 'close');
  socket.destroy();
  await ended;
}

const hasIPv6 = Object.values(os.networkInterfaces()).some((all) =>
  all.some((one) => one.address === '::1')
);

for (const host of [LOOPBACK, 'localhost', '::1', '0.0.0.0', '::', undefined, null, '']) {
  scenario(`H1 a server at host ${JSON.stringify(host)}`, 'server', async (t) => {
    if (host?.includes(':') && !hasIPv6) {
      t.log('server', 'there is no IPv6 here');
      return;
    }
    const wss = new t.Server({ port: 0, host }, () => {
      t.log('order', 'callback', comparableAddress(wss.address()));
    });
    t.defer(() => wss.close());
    wss.on('listening', (...args) => t.log('order', 'listening', ...args));
    t.log('order', 'constructed', wss._server.listening);
    t.attempt('order', 'address', () => comparableAddress(wss.address()));
    process.nextTick(() => t.log('order', 'tick'));
    await once(wss, 'listening');
    const { address, family, port } = wss.address();
    t.log('server', 'address', Object.keys(wss.address()), address, family, port > 0);
    const { _server: server } = wss;
    t.log(
      'server',
      'listening',
      server.listening,
      comparableAddress(server.address()),
      server.listenerCount('listening')
    );
    const where = { '::': '::1', '0.0.0.0': LOOPBACK }[address] ?? address;
    await exchange(t, wss, { port, host: where });
    // Both address families, if one address covers both.
    if (address === '::' && hasIPv6) await exchange(t, wss, { port, host: LOOPBACK });
    await closeServer(wss);
    t.attempt('server', 'address when closed', () => wss.address());
    t.log('server', 'closed', server.listening, server.address());
  });
}

/** Addresses that cannot be bound. */
const REFUSED = {
  'an unknown name': { host: '..' },
  'a foreign address': { host: '192.0.2.1' },
  'a foreign IPv6 address': { host: '2001:db8::1' },
  'a missing folder': { port: path.join(os.tmpdir(), 'no-such-folder', 'socket') }
};

for (const [name, options] of Object.entries(REFUSED)) {
  scenario(`H1 a server that cannot listen: ${name}`, 'server', async (t) => {
    const wss = new t.Server({ port: 0, ...options }, () => t.log('server', 'called back'));
    wss.on('listening', () => t.log('server', 'listening'));
    process.nextTick(() => t.log('server', 'tick'));
    const [err] = await once(wss, 'error');
    t.log('server', 'error', err, errorProperties(err));
    t.attempt('server', 'address', () => wss.address());
    t.log('server', 'listening', wss._server.listening);
    wss.on('close', () => t.log('server', 'close'));
    t.log('server', 'closed', await closeServer(wss));
  });
}

scenario('H1 a port in use', 'server', async (t) => {
  const first = await t.listen();
  const { port } = first.address();
  for (const host of [LOOPBACK, undefined]) {
    const other = await t.listen({ host });
    const taken = host ? port : other.address().port;
    t.hidePort(taken);
    t.trace.hide(taken, 'PORT');
    const second = new t.Server({ port: taken, host }, () => t.log('server', 'called back'));
    second.on('listening', () => t.log('server', 'listening'));
    const [err] = await once(second, 'error');
    t.log('server', 'error', err, errorProperties(err));
    t.attempt('server', 'address', () => second.address());
    t.log('server', 'closed', await closeServer(second));
    t.log('server', 'the first', other._server.listening);
  }
  // A released port can be used at once.
  await closeServer(first);
  const again = await t.listen({ port });
  await exchange(t, again, { port, host: LOOPBACK });
});

scenario(
  'H1 a port in use, without an error listener',
  'server',
  async (t) => {
    const { port } = (await t.listen()).address();
    t.trace.hide(port, 'PORT');
    const child = t.child('port-in-use.js', t.serverSubject, { PORT: String(port) });
    const { code, signal, output } = await child.finished;
    t.log('child', 'ended', code, signal, output);
  },
  { isWaiting: true }
);

scenario('1.4 invalid ports', 'server', (t) => {
  for (const port of [-1, 65536, 1.5, NaN, Infinity, '65536', '', true, {}, []]) {
    try {
      const wss = new t.Server({ port, host: LOOPBACK });
      t.defer(() => wss.close());
      wss.on('error', () => {});
      t.log('server', 'accepted', port);
    } catch (err) {
      t.log('server', 'refused', port, err, errorProperties(err).slice(0, 1));
    }
  }
});

scenario('1.4 ports as text', 'server', async (t) => {
  for (const port of ['0', '00', '0x0', ' 0 ']) {
    const wss = await t.listen({ port });
    t.log('server', 'address', port, comparableAddress(wss.address()), wss.options.port);
    await exchange(t, wss, { port: wss.address().port, host: LOOPBACK });
    await closeServer(wss);
  }
});

scenario('1.4 backlog', 'server', async (t) => {
  for (const backlog of [1, 511, 0, -1, '7', null, undefined]) {
    const wss = await t.listen({ backlog });
    await exchange(t, wss, { port: wss.address().port, host: LOOPBACK });
    t.log('server', 'backlog', backlog, wss.options.backlog);
    await closeServer(wss);
  }
});

scenario('H1 a port that is a path', 'server', async (t) => {
  const file = socketPath(t);
  const start = () => new t.Server({ port: file }, () => t.log('server', 'called back'));
  const wss = start();
  t.defer(() => wss.close());
  t.attempt('server', 'address', () => wss.address());
  await once(wss, 'listening');
  t.log('server', 'address', wss.address(), wss._server.address(), wss.options.port);
  t.log('server', 'file', fs.statSync(file).isSocket());
  await exchange(t, wss, { path: file });
  const second = start();
  const [err] = await once(second, 'error');
  t.log('server', 'taken', err, errorProperties(err));
  t.log('server', 'file', fs.existsSync(file));
  await closeServer(wss);
  t.log('server', 'closed', wss.address(), fs.existsSync(file));
  const again = start();
  t.defer(() => again.close());
  await once(again, 'listening');
  await exchange(t, again, { path: file });
});

scenario('H1 a path of a file that is not a socket', 'server', async (t) => {
  const file = socketPath(t);
  fs.writeFileSync(file, 'precious');
  const wss = new t.Server({ port: file });
  const [err] = await once(wss, 'error');
  t.log('server', 'error', err, errorProperties(err));
  await closeServer(wss);
  t.log('server', 'file', fs.readFileSync(file, 'utf8'));
});

scenario('H1 listening again after a close, on the http.Server', 'server', async (t) => {
  const wss = await t.listen();
  const { _server: server } = wss;
  await exchange(t, wss, { port: wss.address().port, host: LOOPBACK });
  await new Promise((resolve) => server.close(resolve));
  t.log('server', 'closed', server.listening, wss._server === server, wss.address());
  t.attempt('server', 'listen', () => server.listen(0, LOOPBACK) === server);
  await once(wss, 'listening');
  t.log('server', 'again', server.listening, comparableAddress(wss.address()));
  await exchange(t, wss, { port: wss.address().port, host: LOOPBACK });
  t.attempt('server', 'twice', () => server.listen(0, LOOPBACK));
});

scenario(
  'H1 an exception of a listener of listening',
  'server',
  async (t) => {
    const child = t.child('listening.js', t.serverSubject, {});
    const { code, signal, output } = await child.finished;
    t.log('child', 'ended', code, signal, output);
  },
  { isWaiting: true }
);
