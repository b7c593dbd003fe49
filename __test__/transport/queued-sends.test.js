'use strict';

// Small messages wait in memory shared with the addon; other commands go to it at once. The frames of each connection arrive in the
// order of the calls, at a peer on ws.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const ws = require('ws');
const WebSocket = require('ferrows');

const CONNECTIONS = 3;
/** Calls per turn: small ones alone are more than the memory holds. */
const CALLS = 700;

/** A generator of integers below a limit, the same ones in each run (xorshift). @param {number} state not 0 */
const randomOf = (state) => (/** @type {number} */ limit) => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
};

/**
 * Makes a random call on a connection.
 *
 * @param {any} socket a WebSocket of ferrows
 * @param {(limit: number) => number} random returns an integer below the limit
 * @param {any[]} expected the frame is added
 */
function call(socket, random, expected) {
  const bytes = Buffer.alloc(random(8) === 0 ? 65 + random(400) : random(65), random(256));
  switch (random(12)) {
    case 0:
      socket.ping(bytes.subarray(0, 125));
      expected.push(['ping', bytes.subarray(0, 125).toString('hex')]);
      return;
    case 1:
      socket.send('text');
      expected.push(['text', Buffer.from('text').toString('hex')]);
      return;
    case 2:
      socket.send(bytes, () => {});
      break;
    case 3:
      socket.send(bytes.subarray(0, 30), { fin: false });
      socket.send(bytes.subarray(30));
      break;
    case 4:
      socket.send(bytes);
      assert.ok(socket.bufferedAmount >= 0);
      break;
    default:
      socket.send(bytes);
  }
  // The caller may use its memory again.
  expected.push(['binary', bytes.toString('hex')]);
  bytes.fill(0);
}

/** @param {any} peer a WebSocket of ws @returns {any[]} the frames that it receives */
function record(peer) {
  /** @type {any[]} */
  const seen = [];
  peer.on('message', (data, isBinary) =>
    seen.push([isBinary ? 'binary' : 'text', data.toString('hex')])
  );
  peer.on('ping', (data) => seen.push(['ping', data.toString('hex')]));
  return seen;
}

for (const transport of ['event_loop', 'io_threads', 'stream']) {
  for (const perMessageDeflate of [false, true]) {
    for (const role of ['server', 'client']) {
      test(`${role} over ${transport}, ${perMessageDeflate ? 'compressed' : 'plain'}`, async (t) => {
        const [Server, Client] =
          role === 'server' ? [WebSocket.Server, ws] : [ws.Server, WebSocket];
        const server = new Server({ port: 0, perMessageDeflate, transport });
        await once(server, 'listening');
        t.after(() => server.close());
        const pairs = [];
        for (let index = 0; index < CONNECTIONS; index++) {
          const options = { perMessageDeflate, transport };
          const client = new Client(`ws://localhost:${server.address().port}`, options);
          const opened = once(client, 'open');
          const [accepted] = await once(server, 'connection');
          await opened;
          t.after(() => client.terminate());
          const [own, peer] = role === 'server' ? [accepted, client] : [client, accepted];
          pairs.push({ own, peer, seen: record(peer), expected: [] });
        }
        const random = randomOf(CALLS);
        const turn = () => {
          for (let count = 0; count < CALLS; count++) {
            const { own, expected } = pairs[random(CONNECTIONS)];
            call(own, random, expected);
          }
        };
        // Outside of a delivery, and inside of one.
        turn();
        const delivered = once(pairs[0].own, 'message');
        pairs[0].own.once('message', turn);
        pairs[0].peer.send('now');
        await delivered;
        for (const { own, peer, seen, expected } of pairs) {
          own.close();
          await once(peer, 'close');
          assert.deepEqual(seen, expected);
        }
      });
    }
  }
}

test('a message to a connection that is gone does not disturb others', async (t) => {
  const server = new WebSocket.Server({ port: 0 });
  await once(server, 'listening');
  t.after(() => server.close());
  const sockets = [];
  for (let index = 0; index < 2; index++) {
    const peer = new ws(`ws://localhost:${server.address().port}`);
    const opened = once(peer, 'open');
    const [own] = await once(server, 'connection');
    await opened;
    t.after(() => peer.terminate());
    sockets.push({ own, peer, seen: record(peer) });
  }
  const [gone, kept] = sockets;
  gone.own.send(Buffer.from('lost'));
  kept.own.send(Buffer.from('first'));
  gone.own.terminate();
  gone.own.send(Buffer.from('late'), () => {});
  kept.own.send(Buffer.from('second'));
  kept.own.close();
  await once(kept.peer, 'close');
  const hex = (text) => Buffer.from(text).toString('hex');
  assert.deepEqual(kept.seen, [
    ['binary', hex('first')],
    ['binary', hex('second')]
  ]);
});
