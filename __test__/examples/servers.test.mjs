// The examples that are a server in one process, each with clients of ws.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

import { Program } from '../program.mjs';
import { Client, certificate, startServer, test, trusting } from './peer.mjs';

/** The status of a refused handshake. */
async function refusal(url, options) {
  const client = new Client(url, options);
  const [request, { statusCode }] = await once(client.socket, 'unexpected-response');
  request.destroy();
  return statusCode;
}

test('server.js', async (t) => {
  const { url } = await startServer(t, 'server.js');
  const client = await Client.open(url);
  client.socket.send('text');
  client.socket.send(Buffer.from('binary'));
  assert.equal(await client.next(), 'text');
  assert.deepEqual(await client.next(), Buffer.from('binary'));
  await client.close();
});

test('the clients and server.js understand each other', async (t) => {
  const { url } = await startServer(t, 'server.js');
  assert.deepEqual(await new Program('examples/send-text.js', [url]).finish(), [
    'Received: Hello',
    'Closed: 1005'
  ]);
});

test('https-server.js', async (t) => {
  const { cert: CERT, key: KEY } = certificate;
  const { url } = await startServer(t, 'https-server.js', { env: { CERT, KEY } });
  assert.match(url, /^wss:/);
  const client = await Client.open(url, trusting);
  client.socket.send('over TLS');
  assert.equal(await client.next(), 'over TLS');
  await client.close();

  const [response] = await once(https.get(url.replace('wss:', 'https:'), trusting), 'response');
  assert.equal(response.statusCode, 200);
  assert.match((await response.toArray()).join(''), /WebSocket server/);
});

test('graceful-shutdown.js', async (t) => {
  const env = { DRAIN: '1', OVER: '50', TIMEOUT: '5000' };
  const { program, url } = await startServer(t, 'graceful-shutdown.js', { env });
  const status = async (path) => {
    const [response] = await once(http.get(url.replace('ws:', 'http:') + path), 'response');
    response.resume();
    return response.statusCode;
  };
  assert.deepEqual([await status('/ready'), await status('/live')], [200, 200]);
  const clients = await Promise.all([Client.open(url), Client.open(url), Client.open(url)]);
  clients[0].socket.send('acknowledged');
  assert.equal(await clients[0].next(), 'acknowledged');

  program.end('SIGTERM');
  await program.line(/^Not ready$/);
  for (const { closed } of clients) {
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1012, 'restarting']);
  }
  await program.line(/^Closed 3, lost 0, terminated 0$/);
  assert.deepEqual(await program.exit, [0, null]);
  assert.equal(program.errors, '');
});

test('graceful-shutdown.js is not ready while it drains, and a second signal ends it', async (t) => {
  const env = { DRAIN: '3000', OVER: '60000', TIMEOUT: '60000' };
  const { program, url } = await startServer(t, 'graceful-shutdown.js', { env });
  const clients = await Promise.all([Client.open(url), Client.open(url)]);
  program.end('SIGTERM');
  await program.line(/^Not ready$/);
  const [response] = await once(http.get(`${url.replace('ws:', 'http:')}/ready`), 'response');
  assert.equal(response.statusCode, 503);
  response.resume();
  // The first of its clients to close shows that the shutdown has begun.
  await Promise.race(clients.map(({ closed }) => closed));
  program.end('SIGTERM');
  await program.line(/^Closed 1, lost 0, terminated 1$/);
  assert.deepEqual(await program.exit, [0, null]);
});

test('two-paths.js', async (t) => {
  const { url } = await startServer(t, 'two-paths.js');
  const echo = await Client.open(`${url}/echo?any=thing`);
  echo.socket.send('back');
  assert.equal(await echo.next(), 'back');
  await echo.close();

  const clock = await Client.open(`${url}/clock`);
  assert.match(await clock.next(), /^\d{4}-\d\d-\d\dT/);
  clock.socket.send('more than one byte');
  assert.equal((await clock.closed)[0], 1009);

  assert.equal(await refusal(`${url}/other`), 404);
});

test('authentication.js', async (t) => {
  const origin = 'http://app.example';
  const { url } = await startServer(t, 'authentication.js', { env: { ORIGIN: origin } });
  const headers = { Cookie: 'theme=dark; session=ada-s-secret' };

  const client = await Client.open(url, { origin, headers });
  assert.equal(await client.next(), 'Welcome, Ada');
  client.socket.send('hello');
  assert.equal(await client.next(), 'Ada said: hello');
  await client.close();

  assert.equal(await refusal(url, { origin }), 401);
  assert.equal(await refusal(url, { origin, headers: { Cookie: 'session=guessed' } }), 401);
  assert.equal(await refusal(url, { origin: 'http://evil.example', headers }), 403);
});

test('broadcast.js', async (t) => {
  const { url } = await startServer(t, 'broadcast.js');
  const [one, two, three] = await Promise.all(Array.from({ length: 3 }, () => Client.open(url)));
  one.socket.send('from one');
  assert.deepEqual([await two.next(), await three.next()], ['from one', 'from one']);
  two.socket.send(Buffer.from('from two'));
  // Its first message: its own broadcast is not sent to it.
  assert.deepEqual(await one.next(), Buffer.from('from two'));
  await Promise.all([one.close(), two.close(), three.close()]);
});

test('broadcast.js lets go of a client that does not read', async (t) => {
  const { url } = await startServer(t, 'broadcast.js');
  const [one, two, slow] = await Promise.all(Array.from({ length: 3 }, () => Client.open(url)));
  slow.socket.pause();
  // More than the kernel buffers for a reader, message by message.
  const data = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < 32; sent += 1) {
    one.socket.send(data);
    assert.equal((await two.next()).length, data.length);
  }
  slow.socket.resume();
  assert.equal((await slow.closed)[0], 1006);
  await Promise.all([one.close(), two.close()]);
});

test('broadcast.js --all', async (t) => {
  const { url } = await startServer(t, 'broadcast.js', { args: ['--all'] });
  const [one, two] = await Promise.all([Client.open(url), Client.open(url)]);
  one.socket.send('to all');
  assert.deepEqual([await one.next(), await two.next()], ['to all', 'to all']);
  await Promise.all([one.close(), two.close()]);
});

test('client-ip.js', async (t) => {
  const { url } = await startServer(t, 'client-ip.js');
  const headers = { 'X-Forwarded-For': '192.0.2.1' };
  const client = await Client.open(url, { headers });
  assert.equal(await client.next(), 'You are 127.0.0.1');
  await client.close();
});

test('client-ip.js behind a proxy', async (t) => {
  const { url } = await startServer(t, 'client-ip.js', { env: { PROXIES: '1' } });
  // The first address is forged by the client.
  const headers = { 'X-Forwarded-For': '203.0.113.9, 192.0.2.1' };
  const behind = await Client.open(url, { headers });
  assert.equal(await behind.next(), 'You are 192.0.2.1');
  await behind.close();

  const direct = await Client.open(url);
  assert.equal(await direct.next(), 'You are 127.0.0.1');
  await direct.close();
});

test('heartbeat-server.js', async (t) => {
  const { program, url } = await startServer(t, 'heartbeat-server.js', {
    env: { HEARTBEAT_MS: '500' }
  });
  const alive = await Client.open(url);
  const dead = await Client.open(url, { autoPong: false });
  await program.line(/does not answer/);
  assert.equal((await dead.closed)[0], 1006);
  alive.socket.send('still here');
  assert.equal(await alive.next(), 'still here');
  await alive.close();
});

test('compression.js', async (t) => {
  const { program, url } = await startServer(t, 'compression.js');
  const client = await Client.open(url);
  await program.line(/permessage-deflate/);
  const text = 'again and '.repeat(1000);
  client.socket.send(text);
  assert.equal(await client.next(), text);
  const compressed = client.socket._socket.bytesRead;
  assert.ok(compressed < 1000, `${compressed} bytes came`);
  client.socket.send(`secret ${text}`);
  assert.equal(await client.next(), `secret ${text}`);
  assert.ok(client.socket._socket.bytesRead - compressed > text.length);
  await client.close();

  const plain = await Client.open(url, { perMessageDeflate: false });
  await program.line(/no compression/);
  await plain.close();
});
