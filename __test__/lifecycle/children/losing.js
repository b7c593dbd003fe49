'use strict';

// A connection loses its descriptor while it is open, in every way that a program has; then another connection of the process
// gets the number. Prints the later sends, the data at the other connection, and the end of the WebSocket, a line per case.
//
// MODULE: the library that loses the descriptor. The peer is genuine ws.

const net = require('node:net');
const { fork } = require('node:child_process');
const { once } = require('node:events');

const LOOPBACK = '127.0.0.1';

/** @type {Record<string, (socket: any) => unknown>} */
const WAYS = {
  'close()': (socket) => socket._handle.close(),
  'close() twice': (socket) => {
    socket._handle.close();
    socket._handle.close();
  },
  'reset()': (socket) => socket._handle.reset(),
  'no handle': (socket) => {
    const handle = socket._handle;
    socket._handle = null;
    handle.close();
  },
  'sent to a child': async (socket) => {
    const child = fork(__filename, ['child']);
    child.send('socket', socket);
    await once(child, 'message');
    child.kill();
  },
  'end()': (socket) => socket.end(),
  'destroy()': (socket) => socket.destroy(),
  'touched, then close()': (socket) => {
    socket.on('end', () => {});
    socket._handle.close();
  },
  nothing: () => {}
};

/** Peers have seen everything written before this. */
async function writesArrive(socket) {
  socket.write('echo');
  for (let got = ''; !got.endsWith('echo');) got += (await once(socket, 'data'))[0];
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function lose(role, way) {
  /** @type {Record<string, string[]>} what each end has seen */
  const lines = { mine: [], peer: [], unrelated: [] };
  const log = (end, ...args) => lines[end].push(args.map(String).join(' '));
  const [Server, Client] = [require(process.env.MODULE), require('ws')];
  const libs = role === 'server' ? [Server, Client] : [Client, Server];
  const wss = new libs[0].Server({ port: 0, host: LOOPBACK });
  await once(wss, 'listening');
  const accepted = once(wss, 'connection');
  const client = new libs[1](`ws://${LOOPBACK}:${wss.address().port}`);
  const [server] = await accepted;
  if (client.readyState !== client.OPEN) await once(client, 'open');
  const [mine, peer] = role === 'server' ? [server, client] : [client, server];

  const echo = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      log('unrelated', data);
      socket.write(data);
    });
  });
  echo.listen(0, LOOPBACK);
  await once(echo, 'listening');

  for (const event of ['message', 'error', 'close']) {
    mine.on(event, (value) => log('mine', event, value?.message ?? value, mine.readyState));
  }
  peer.on('message', (data) => log('peer', data));
  peer.on('error', () => {});

  const before = once(peer, 'message');
  mine.send('before');
  await WAYS[way](mine._socket);
  await before;
  log(
    'mine',
    'socket',
    mine._socket.destroyed,
    mine._socket.writable,
    mine._socket._handle === null
  );
  const other = net.connect(echo.address().port, LOOPBACK);
  await once(other, 'connect');
  for (const text of ['SECRET', 'SECRET 2']) {
    try {
      mine.send(text, (err) => log('mine', 'callback', err?.message, err?.code, mine.readyState));
    } catch {
      // Node's error for a closed handle differs between versions.
      log('mine', 'threw');
    }
    await writesArrive(other);
  }
  peer.terminate();
  mine.terminate();
  await writesArrive(other);
  other.destroy();
  echo.close();
  wss.close();
  return { role, way, lines };
}

async function main() {
  for (const role of ['server', 'client']) {
    for (const way of Object.keys(WAYS)) console.log(JSON.stringify(await lose(role, way)));
  }
  process.exit();
}

if (process.argv[2] === 'child') {
  process.on('message', (_, socket) => {
    socket.destroy();
    process.send?.('done');
  });
} else {
  main();
}
