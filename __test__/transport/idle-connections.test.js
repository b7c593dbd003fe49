'use strict';

// Connections of the event loop become idle when nothing is in flight, which only their transport knows: every use and every
// input behaves as for an active one. Both ends are in this process, so both become idle.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const library = require('ferrows');
const { environment } = require('../../lib/native');
const { sweepAll } = require('../sweep');
const { connect, end, listen, pattern } = require('./pairs');

/** Sweeps once, as the timer does: not within a delivery, whose connection is active. */
async function sweep() {
  await new Promise(setImmediate);
  sweepAll();
}

/** Makes every connection idle that has nothing in flight. */
async function makeIdle() {
  await sweep();
  await sweep();
}

/**
 * Runs `use` with some connections over a transport.
 *
 * @param {string} transport
 * @param {number} count
 * @param {(pairs: [any, any][], wss: any) => Promise<void>} use
 */
async function withPairs(transport, count, use) {
  process.env.FERROWS_TRANSPORT = transport;
  const wss = await listen(library);
  /** @type {[any, any][]} */
  const pairs = [];
  try {
    for (let at = 0; at < count; at++) pairs.push(await connect(library, wss));
    await use(pairs, wss);
  } finally {
    await end(wss, ...pairs.flat());
    delete process.env.FERROWS_TRANSPORT;
  }
}

/**
 * Sends a message and waits for its arrival.
 *
 * @param {any} from
 * @param {any} to
 * @param {string | Buffer} data
 */
async function deliver(from, to, data) {
  from.send(data);
  const [message, isBinary] = await once(to, 'message');
  assert.equal(isBinary, typeof data !== 'string');
  assert.ok(message.equals(Buffer.from(data)));
}

test('connections become idle', async () => {
  await withPairs('event_loop', 20, async (pairs) => {
    await makeIdle();
    assert.equal(environment.activeCount, 0);
    for (const [server, client] of pairs) await deliver(client, server, 'hello');
    assert.equal(environment.activeCount, 40);
    await sweep();
    // Connections used since then are active.
    await deliver(pairs[0][1], pairs[0][0], 'again');
    await sweep();
    assert.equal(environment.activeCount, 2);
    await sweep();
    assert.equal(environment.activeCount, 0);
  });
});

for (const transport of ['event_loop', 'auto']) {
  test(`messages of every size, and totals, on idle connections: ${transport}`, async () => {
    await withPairs(transport, 5, async (pairs) => {
      for (let round = 0; round < 8; round++) {
        for (const [server, client] of pairs) {
          await makeIdle();
          const before = [server._socket.bytesRead, client._socket.bytesWritten];
          await deliver(client, server, `round ${round}`);
          await makeIdle();
          await deliver(server, client, pattern(round, 1 << (2 * round + 4)));
          await makeIdle();
          await deliver(client, server, pattern(round, 20_000 * round));
          client.ping('?');
          await once(client, 'pong');
          await makeIdle();
          const moved = server._socket.bytesRead - before[0];
          assert.equal(client._socket.bytesWritten - before[1], moved);
          assert.ok(moved > 20_000 * round);
          assert.equal(client.bufferedAmount, 0);
        }
      }
    });
  });

  test(`every call on an idle connection: ${transport}`, async () => {
    await withPairs(transport, 4, async (pairs) => {
      for (const [server, client] of pairs) {
        await deliver(client, server, 'awake');
        await makeIdle();
        server.pause();
        client.send('held back');
        await makeIdle();
        const message = once(server, 'message');
        server.resume();
        assert.equal(String((await message)[0]), 'held back');
        await makeIdle();
        const called = once(server, 'message');
        await new Promise((resolve, reject) => {
          client.send('with a callback', (error) => (error ? reject(error) : resolve(undefined)));
        });
        await called;
        await makeIdle();
        // With half of a message a connection stays active.
        client.send('half ', { fin: false });
        await makeIdle();
        const whole = once(server, 'message');
        client.send('and half');
        assert.equal(String((await whole)[0]), 'half and half');
      }
    });
  });

  test(`an idle connection closes: ${transport}`, async () => {
    await withPairs(transport, 5, async (pairs) => {
      const ends = [
        ([server, client]) => [client.close(4000, 'bye'), [server, 4000, client, 4000]],
        ([server, client]) => [server.close(4001), [server, 4001, client, 4001]],
        ([server, client]) => [client.terminate(), [server, 1006, client, 1006]],
        ([server, client]) => [server._socket.end(), [server, 1006, client, 1006]],
        ([server, client]) => [client._socket.destroy(), [server, 1006, client, 1006]]
      ];
      for (const [at, pair] of pairs.entries()) {
        await makeIdle();
        const closed = pair.map((ws) => once(ws, 'close'));
        const [, expected] = ends[at](pair);
        const [[server], [client]] = await Promise.all(closed);
        assert.deepEqual([server, client], [expected[1], expected[3]], `end ${at}`);
      }
      await makeIdle();
      if (transport === 'event_loop') assert.equal(environment.activeCount, 0);
    });
  });
}

test('negotiated compression is kept', async () => {
  for (const takeover of [true, false]) {
    process.env.FERROWS_TRANSPORT = 'event_loop';
    const perMessageDeflate = {
      threshold: 0,
      serverNoContextTakeover: !takeover,
      clientNoContextTakeover: !takeover
    };
    const wss = await listen(library, { perMessageDeflate });
    const [server, client] = await connect(library, wss, { perMessageDeflate });
    await makeIdle();
    assert.equal(environment.activeCount, 0);
    for (let round = 0; round < 4; round++) {
      await deliver(client, server, 'compressed '.repeat(20 + round));
      await deliver(server, client, 'and back '.repeat(20 + round));
      await makeIdle();
      await makeIdle();
      // A connection stays active if the peer may refer to earlier bytes (context takeover).
      assert.equal(environment.activeCount, takeover ? 2 : 0);
    }
    await end(wss, server, client);
    delete process.env.FERROWS_TRANSPORT;
  }
});
