'use strict';

// permessage-deflate where ferrows has features of its own or differs from ws, over FERROWS_TRANSPORT: a payload for many
// connections, large payloads, memory. The output is checked by node:zlib, or by ws as the peer.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const ferrows = require('ferrows');
const ws = require('ws');
const { sweepAll } = require('../sweep');
const transportOf = require('../transport-of.cjs');
const { digits } = require('../differential/deflate');
const { connect, end, listen } = require('../transport/pairs');

const MIB = 1024 * 1024;

/** A server of ferrows and clients of `library`, all with compression. */
async function opened(t, library, count, options = {}) {
  const wss = await listen(ferrows, { perMessageDeflate: true, ...options });
  const pairs = [];
  for (let i = 0; i < count; i++) {
    pairs.push(await connect(library, wss, { perMessageDeflate: true }));
  }
  t.after(() => end(wss, ...pairs.flat()));
  return pairs;
}

/** The next `count` messages of each, as text. */
const texts = (all, count) =>
  Promise.all(
    all.map(
      (one) =>
        new Promise((resolve) => {
          const seen = [];
          one.on('message', function listener(data) {
            if (seen.push(String(data)) < count) return;
            one.removeListener('message', listener);
            resolve(seen);
          });
        })
    )
  );

/** Bytes written to a connection so far. */
const sentTo = (server) => transportOf(server).queuedTotal;

test('a broadcast payload reaches all connections, between other messages', async (t) => {
  const pairs = await opened(t, ws, 12);
  const servers = pairs.map(([server]) => server);
  const clients = pairs.map(([, client]) => client);
  const expected = servers.map(() => []);
  const send = (index, data) => {
    servers[index].send(data);
    expected[index].push(data);
  };
  const rounds = 30;
  for (let round = 0; round < rounds; round++) {
    const state = JSON.stringify({ round, state: digits(1500), common: 'the same in each round' });
    servers.forEach((_, index) => send(index, state));
    // Some connections leave the shared history, and rejoin it.
    if (round % 4 === 0) send(round % servers.length, `only for one: ${digits(400)}`);
    // The same once more.
    if (round % 5 === 0) servers.forEach((_, index) => send(index, state));
  }
  const seen = await Promise.all(
    clients.map((client, index) => texts([client], expected[index].length))
  );
  assert.deepEqual(
    seen.map(([messages]) => messages),
    expected
  );
});

test('later connections get the same bytes, and fewer once they share a history', async (t) => {
  const pairs = await opened(t, ferrows, 10);
  const servers = pairs.map(([server]) => server);
  const received = texts(
    pairs.map(([, client]) => client),
    6
  );
  const lengths = [];
  for (let round = 0; round < 6; round++) {
    const before = servers.map(sentTo);
    const data = `${digits(1000)} in round ${round}`;
    for (const server of servers) server.send(data);
    lengths.push(servers.map((server, index) => sentTo(server) - before[index]));
  }
  for (const round of lengths) assert.equal(new Set(round.slice(3)).size, 1, String(round));
  assert.ok(lengths[5][9] < lengths[0][9] / 5, `${lengths[0][9]} bytes, then ${lengths[5][9]}`);
  const expected = lengths.map((_, round) => `${digits(1000)} in round ${round}`);
  for (const messages of await received) assert.deepEqual(messages, expected);
});

test('connections with other parameters get bytes of their own', async (t) => {
  const wss = await listen(ferrows, { perMessageDeflate: { threshold: 0 } });
  const pairs = [];
  for (let i = 0; i < 12; i++) {
    const perMessageDeflate = [
      {},
      { serverMaxWindowBits: 9 },
      { serverNoContextTakeover: true },
      false
    ][i % 4];
    pairs.push(await connect(ws, wss, { perMessageDeflate }));
  }
  t.after(() => end(wss, ...pairs.flat()));
  const received = texts(
    pairs.map(([, client]) => client),
    8
  );
  const sent = Array.from({ length: 8 }, (_, round) => `${digits(3000)} ${round}`);
  for (const data of sent) for (const [server] of pairs) server.send(data);
  for (const messages of await received) assert.deepEqual(messages, sent);
});

test('a large payload for connections with other parameters', async (t) => {
  const wss = await listen(ferrows, { perMessageDeflate: true });
  const pairs = [];
  for (let i = 0; i < 9; i++) {
    const perMessageDeflate = [{}, { serverMaxWindowBits: 10 }, { serverNoContextTakeover: true }];
    pairs.push(await connect(ws, wss, { perMessageDeflate: perMessageDeflate[i % 3] }));
  }
  t.after(() => end(wss, ...pairs.flat()));
  const received = texts(
    pairs.map(([, client]) => client),
    2
  );
  const sent = [digits(300_000), digits(200_000)];
  for (const data of sent) for (const [server] of pairs) server.send(data);
  for (const messages of await received) assert.deepEqual(messages, sent);
});

test('a large payload for many connections, between other messages', async (t) => {
  const pairs = await opened(t, ws, 10);
  const received = texts(
    pairs.map(([, client]) => client),
    4
  );
  const [first, second] = [digits(2 * MIB), digits(MIB)];
  for (const [server] of pairs) {
    for (const data of ['before', first, second, 'behind']) server.send(data);
  }
  for (const messages of await received) {
    assert.deepEqual(
      messages.map((data) => data.length),
      [6, first.length, second.length, 6]
    );
    assert.ok(messages[1] === first && messages[2] === second);
  }
});

test('the event loop runs while large messages are compressed and inflated', async (t) => {
  const [[server, client]] = await opened(t, ferrows, 1);
  let isOver = false;
  let turns = 0;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  for (const one of [server, client]) {
    const data = Buffer.alloc(32 * MIB, one === server ? 'server' : 'client');
    const before = turns;
    const other = one === server ? client : server;
    const [[message]] = await Promise.all([
      once(other, 'message'),
      new Promise((resolve) => one.send(data, resolve))
    ]);
    assert.ok(data.equals(message));
    // On this thread, either would take two or three iterations of the event loop.
    assert.ok(turns - before > 20, `${turns - before} turns`);
  }
  isOver = true;
});

test('an idle connection continues in both directions', async (t) => {
  const [[server, client]] = await opened(t, ws, 1);
  for (let round = 0; round < 6; round++) {
    for (const [from, to] of [
      [server, client],
      [client, server]
    ]) {
      const received = texts([to], 3);
      const sent = [`${digits(2000)} ${round}`, 'short', digits(500)];
      for (const data of sent) from.send(data);
      assert.deepEqual(await received, [sent]);
    }
    // The connection is unused between two sweeps: all releasable memory is released.
    for (let look = 0; look < 3; look++) sweepAll();
    assert.equal(sweepAll(), 0);
  }
});
