// redis.mjs: two processes and a real redis-server between them, with a client of ferrows and one of ws.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { WebSocket as FerrowsSocket } from 'ferrows';

import { Client, startServer, test } from './peer.mjs';
import { RedisServer } from './redis-server.mjs';

const redis = new RedisServer();
before(() => redis.start());
after(() => redis.remove());

const TOGETHER = { notice: 'together' };
const APART = { notice: 'apart' };

/** Waits for the next message of a client. */
const heard = async (client) => JSON.parse(await client.next());

/** Starts two processes. @param {import('node:test').TestContext} t */
const startTwo = (t) =>
  Promise.all([1, 2].map(() => startServer(t, 'redis.mjs', { env: { REDIS_URL: redis.url } })));

/** Opens a client, and returns it with its first message. */
async function enter(url, room, Class) {
  const client = await Client.open(`${url}/${room}`, {}, Class);
  assert.deepEqual(await heard(client), TOGETHER);
  return client;
}

test('a message to one process reaches the clients of both', async (t) => {
  const [here, there] = await startTwo(t);
  const one = await enter(here.url, 'garden', FerrowsSocket);
  const two = await enter(there.url, 'garden');
  const apart = await enter(there.url, 'cellar');

  one.socket.send('hello');
  const hello = { said: 'hello', by: here.program.pid };
  assert.deepEqual([await heard(one), await heard(two)], [hello, hello]);

  two.socket.send('and hello to you');
  const back = { said: 'and hello to you', by: there.program.pid };
  assert.deepEqual([await heard(one), await heard(two)], [back, back]);

  // The first message in the other room: none of the above was sent there.
  apart.socket.send('dark here');
  assert.deepEqual(await heard(apart), { said: 'dark here', by: there.program.pid });

  here.program.end('SIGTERM');
  assert.equal((await one.closed)[0], 1001);
  assert.deepEqual(await here.program.exit, [0, null]);
  assert.equal(here.program.errors, '');
});

test('the processes report and survive a restart of Redis', async (t) => {
  const [here, there] = await startTwo(t);
  const one = await enter(here.url, 'garden', FerrowsSocket);
  const two = await enter(there.url, 'garden');

  await redis.kill();
  assert.deepEqual(await Promise.all([heard(one), heard(two)]), [APART, APART]);
  one.socket.send('hello again');
  assert.match((await heard(one)).notice, /^Not sent/);

  await redis.start();
  assert.deepEqual(await Promise.all([heard(one), heard(two)]), [TOGETHER, TOGETHER]);
  one.socket.send('hello again');
  const again = { said: 'hello again', by: here.program.pid };
  assert.deepEqual([await heard(one), await heard(two)], [again, again]);
});
