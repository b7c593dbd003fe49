// The examples that are clients, each against a server of ws.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import net from 'node:net';

import { Program } from '../program.mjs';
import { echoServer, test } from './peer.mjs';

/**
 * Starts a client and ends it with the test.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} file
 * @param {...string} args
 */
function start(t, file, ...args) {
  const program = new Program(`examples/${file}`, args);
  t.after(() => program.end());
  return program;
}

test('send-text.js', async (t) => {
  const { server, url } = await echoServer(t);
  const [[socket], lines] = await Promise.all([
    once(server, 'connection').then(async ([connected]) => once(connected, 'message')),
    start(t, 'send-text.js', url).finish()
  ]);
  assert.equal(socket.toString(), 'Hello');
  assert.deepEqual(lines, ['Received: Hello', 'Closed: 1005']);
});

test('a client that finds no server says so and fails', async (t) => {
  const { server, url } = await echoServer(t);
  await new Promise((resolve) => server.close(resolve));
  const program = start(t, 'send-text.js', url);
  assert.deepEqual(await program.exit, [1, null]);
  assert.match(program.errors, /^connect ECONNREFUSED/);
});

test('send-binary.js', async (t) => {
  const { server, url } = await echoServer(t);
  const received = once(server, 'connection').then(([socket]) => once(socket, 'message'));
  const lines = await start(t, 'send-binary.js', url).finish();
  const [data, isBinary] = await received;
  assert.ok(isBinary);
  assert.deepEqual(data, Buffer.from(Float32Array.of(0, 0.5, 1, 1.5, 2).buffer));
  assert.deepEqual(lines, ['Received: 0 0.5 1 1.5 2']);
});

test('round-trip.js', async (t) => {
  const { url } = await echoServer(t);
  const lines = await start(t, 'round-trip.js', url, '2').finish();
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /^Round trip: \d+\.\d{3} ms$/);
});

test('streams.js', async (t) => {
  const { url } = await echoServer(t);
  const program = start(t, 'streams.js', url);
  program.input.write('one\n');
  assert.equal((await program.line())[0], 'one');
  program.input.end('two\n');
  assert.deepEqual(await program.finish(), ['two']);
});

test('heartbeat-client.js connects again when the pings stop, and not before', async (t) => {
  const patience = 1000;
  const { server, url } = await echoServer(t);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const first = once(server, 'connection');
  const program = start(t, 'heartbeat-client.js', url, String(patience));
  const [socket] = await first;
  await program.line(/^Connected\.$/);

  const pings = setInterval(() => socket.ping(), patience / 8);
  for (let answered = 0; answered < 12; answered += 1) await once(socket, 'pong');
  clearInterval(pings);
  assert.equal(connections, 1);

  const second = once(server, 'connection');
  await program.line(/^No ping for/);
  await second;
  await program.line(/^Connected\.$/);
});

test('through-proxy.mjs', async (t) => {
  const { url } = await echoServer(t);
  const targets = [];
  const proxy = createServer().listen(0, '127.0.0.1');
  proxy.on('connect', ({ url: target }, socket) => {
    targets.push(target);
    const { hostname, port } = new URL(`http://${target}`);
    const through = net.connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(through).pipe(socket);
    });
  });
  t.after(() => proxy.close());
  await once(proxy, 'listening');

  const address = `http://127.0.0.1:${proxy.address().port}`;
  const lines = await start(t, 'through-proxy.mjs', address, url).finish();
  assert.deepEqual(lines, ['Received: Hello from behind the proxy']);
  assert.deepEqual(targets, [new URL(url).host]);
});
