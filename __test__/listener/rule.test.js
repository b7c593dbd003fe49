'use strict';

// The choice between the addon and Node as the one that accepts, and the laziness of sockets: they stay small until first use.
// That nothing else differs is proven by the differential scenarios.

const assert = require('node:assert/strict');
const diagnosticsChannel = require('node:diagnostics_channel');
const { EventEmitter, once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const test = require('node:test');

const ferrows = require('../../index.js');
const { isLazy } = require('../../lib/socket/lazy-socket.js');
const { connect, end, listen } = require('../transport/pairs.js');

/** True if the addon accepts for a server: Node's listen() is unused then. @param {any} wss */
const isOurs = ({ _server: { _handle } }) => Object.hasOwn(_handle, 'listen');

/** True if the socket of an accepted connection is still lazy. @param {any} ws */
const isSmall = (ws) => isLazy(ws._socket);

/**
 * The response to an upgrade request.
 *
 * @param {any} wss
 */
async function knock(wss) {
  const client = net.connect(wss.address().port, '127.0.0.1');
  client.write(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  );
  const [answer] = await once(client, 'data');
  client.destroy();
  return String(answer);
}

test('the addon accepts, and ordinary use materializes no socket', async () => {
  const wss = await listen(ferrows);
  assert.ok(isOurs(wss));
  assert.equal(/** @type {any} */ (wss)._server._handle.constructor.name, 'TCP');
  const [server, client] = await connect(ferrows, wss);
  server.on('message', (data) => server.send(data));
  client.send('hello');
  const [echo] = await once(client, 'message');
  assert.equal(String(echo), 'hello');
  client.ping();
  await once(client, 'pong');
  server.ping();
  await once(server, 'pong');
  assert.ok(isSmall(server));
  client.close(1000, 'done');
  const [code] = await once(server, 'close');
  assert.equal(code, 1000);
  assert.ok(isSmall(server));
  await end(wss, client);
});

for (const [name, act] of Object.entries({
  'the other end terminates': (_server, client) => client.terminate(),
  'it closes': (server) => server.close(),
  'it terminates': (server) => server.terminate()
})) {
  test(`no socket is materialized when ${name}`, async () => {
    const wss = await listen(ferrows);
    const [server, client] = await connect(ferrows, wss);
    act(server, client);
    await once(server, 'close');
    assert.ok(isSmall(server));
    await end(wss, client);
  });
}

test('addresses are lazy, everything else materializes a socket', async () => {
  const wss = await listen(ferrows);
  const [server, client] = await connect(ferrows, wss);
  const { _socket: socket } = server;
  assert.equal(socket.remotePort, client._socket.localPort);
  assert.equal(socket.localPort, wss.address().port);
  assert.deepEqual(
    [socket.remoteAddress, socket.remoteFamily, socket.localAddress, socket.localFamily],
    ['127.0.0.1', 'IPv4', '127.0.0.1', 'IPv4']
  );
  assert.deepEqual(
    [socket.destroyed, socket.readable, socket.writable, socket.connecting, socket.timeout],
    [false, true, true, false, 0]
  );
  assert.ok(socket instanceof net.Socket && isSmall(server));
  assert.equal(socket.listenerCount('close'), 1);
  assert.ok(!isSmall(server) && socket === server._socket);
  server.on('message', (data) => server.send(data));
  client.send('still there');
  const [echo] = await once(client, 'message');
  assert.equal(String(echo), 'still there');
  await end(wss, server, client);
});

test('Node accepts where configured and where necessary', async (t) => {
  const streams = await listen(ferrows, { transport: 'stream' });
  assert.ok(!isOurs(streams));
  await end(streams);

  process.env.FERROWS_ACCEPT = 'node';
  t.after(() => delete process.env.FERROWS_ACCEPT);
  const told = await listen(ferrows);
  delete process.env.FERROWS_ACCEPT;
  assert.ok(!isOurs(told));
  const [server, client] = await connect(ferrows, told);
  assert.ok(!isSmall(server));
  await end(told, server, client);

  const own = http.createServer().listen(0, '127.0.0.1');
  const wss = new ferrows.WebSocketServer({ server: own });
  await once(wss, 'listening');
  assert.ok(!isOurs(/** @type {any} */ ({ _server: own })));
  wss.close();
  own.close();
  await once(own, 'close');
});

/** Reasons for Node to take a connection of a server that listens through the addon: a function that creates the reason, and
 * one that removes it. */
const REASONS = {
  'a listener for connections': ({ _server: server }) => {
    const listener = () => {};
    server.on('connection', listener);
    return () => server.removeListener('connection', listener);
  },
  'a listener for failures': ({ _server: server }) => {
    const listener = (_error, socket) => socket.destroy();
    server.on('clientError', listener);
    return () => server.removeListener('clientError', listener);
  },
  'a subscriber to sockets': () => {
    const subscriber = () => {};
    diagnosticsChannel.subscribe('net.server.socket', subscriber);
    return () => diagnosticsChannel.unsubscribe('net.server.socket', subscriber);
  },
  'a limit of connections': ({ _server: server }) => {
    server.maxConnections = 10;
    return () => {
      server.maxConnections = undefined;
    };
  },
  'a limit of header fields': ({ _server: server }) => {
    server.maxHeadersCount = 100;
    return () => {
      server.maxHeadersCount = null;
    };
  },
  'a list of blocked addresses': ({ _server: server }) => {
    server.blockList = new net.BlockList();
    return () => delete server.blockList;
  },
  'a delay of small packets': ({ _server: server }) => {
    server.noDelay = false;
    return () => {
      server.noDelay = true;
    };
  },
  'keeping connections alive': ({ _server: server }) => {
    server.keepAlive = true;
    return () => {
      server.keepAlive = false;
    };
  },
  'a lenient parser': ({ _server: server }) => {
    server.insecureHTTPParser = true;
    return () => {
      server.insecureHTTPParser = undefined;
    };
  },
  'an emit() of its own': ({ _server: server }) => {
    server.emit = (...args) => EventEmitter.prototype.emit.apply(server, args);
    return () => delete server.emit;
  },
  'another function for handles': ({ _server: { _handle: handle } }) => {
    const { onconnection } = handle;
    handle.onconnection = (...args) => Reflect.apply(onconnection, handle, args);
    return () => {
      handle.onconnection = onconnection;
    };
  },
  'a time limit': ({ _server: server }) => {
    server.setTimeout(60_000);
    return () => server.setTimeout(0);
  }
};

for (const [name, make] of Object.entries(REASONS)) {
  test(`Node gets new connections while there is ${name}`, async () => {
    const wss = await listen(ferrows);
    const undo = make(wss);
    const [first, one] = await connect(ferrows, wss);
    undo();
    const [second, other] = await connect(ferrows, wss);
    assert.deepEqual([isSmall(first), isSmall(second)], [false, true]);
    await end(wss, first, one, second, other);
  });
}

for (const [when, run] of Object.entries({
  'at once': (write) => write(),
  'in another turn': (write) => setImmediate(write)
})) {
  test(`the response of a program is sent, written ${when}`, async () => {
    /** @type {any} */
    let answered;
    class Teapots extends ferrows.WebSocketServer {
      handleUpgrade(_req, socket) {
        run(() => {
          answered = socket;
          socket.write('HTTP/1.1 418 Short and stout\r\n\r\n');
        });
      }
    }
    const wss = await listen({ WebSocketServer: Teapots });
    assert.match(await knock(wss), /^HTTP\/1.1 418 /);
    answered.destroy();
    wss.close();
    await once(wss, 'close');
  });
}
