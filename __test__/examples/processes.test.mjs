// The examples that use more than one core, each with clients of ws.
import assert from 'node:assert/strict';

import { Client, startServer, test } from './peer.mjs';

/** The process that a client is connected to, from its greeting. */
const servedBy = async (client) => Number(/\d+$/.exec(await client.next())[0]);

const twice = (text) => [text, text];

test('cluster.mjs', async (t) => {
  const { program, url } = await startServer(t, 'cluster.mjs', { env: { WORKERS: '2' } });
  await program.line(/ws:/);

  // Connections are distributed round-robin.
  const [one, two] = [await Client.open(url), await Client.open(url)];
  const [first, second] = [await servedBy(one), await servedBy(two)];
  assert.notEqual(first, second);

  one.socket.send('hello');
  assert.deepEqual([await one.next(), await two.next()], twice(`${first}: hello`));

  process.kill(first, 'SIGKILL');
  assert.equal((await one.closed)[0], 1006);
  const [, replacement] = await program.line(/^Process (\d+) listens/);
  const [three, four] = [await Client.open(url), await Client.open(url)];
  const serving = [await servedBy(three), await servedBy(four)];
  assert.deepEqual(new Set(serving), new Set([second, Number(replacement)]));
  three.socket.send('again');
  for (const client of [two, three, four]) {
    assert.equal(await client.next(), `${serving[0]}: again`);
  }

  program.end('SIGTERM');
  for (const client of [two, three, four]) assert.equal((await client.closed)[0], 1001);
  assert.deepEqual(await program.exit, [0, null]);
  assert.equal(program.errors, '');
});

test('cluster.mjs ends when its port is taken', async (t) => {
  const { url } = await startServer(t, 'server.js');
  const { port } = new URL(url);
  await assert.rejects(
    startServer(t, 'cluster.mjs', { env: { WORKERS: '2', PORT: port } }),
    /ended \(1\).*EADDRINUSE/s
  );
});

test('workers.mjs', async (t) => {
  const { program, url } = await startServer(t, 'workers.mjs');
  const [other] = await program.line(/ws:\S+/);
  const [one, two] = [await Client.open(url), await Client.open(other)];
  const [first, second] = [await servedBy(one), await servedBy(two)];
  assert.notEqual(first, second);

  one.socket.send('hello');
  assert.deepEqual([await one.next(), await two.next()], twice(`${first}: hello`));
  two.socket.send('hello back');
  assert.deepEqual([await one.next(), await two.next()], twice(`${second}: hello back`));

  program.end('SIGTERM');
  for (const client of [one, two]) assert.equal((await client.closed)[0], 1001);
  assert.deepEqual(await program.exit, [0, null]);
  assert.equal(program.errors, '');
});

test('compute.mjs answers others while it computes', async (t) => {
  const { url } = await startServer(t, 'compute.mjs');
  const client = await Client.open(url);
  client.socket.send('1000000');
  client.socket.send('at once');
  assert.deepEqual(await client.next(), 'at once');
  assert.equal(await client.next(), '78498 primes below 1000000');
  client.socket.send('10');
  assert.equal(await client.next(), '4 primes below 10');
  await client.close();
});
