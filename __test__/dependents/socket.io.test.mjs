/** Socket.IO, server and client, with the WebSocket transport only. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  assertOverridden,
  Inbox,
  listen,
  load,
  require,
  TIME_LIMIT,
  WebSocket
} from './dependents.mjs';

const { Server } = require('socket.io');
const { io } = require('socket.io-client');

const BINARY = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, index) => index % 251));

/** The client's form of bytes nested in a message. */
const bytes = (value) => Buffer.from(value);

test('gets the subject as ws', TIME_LIMIT, (context) => {
  assertOverridden(context, 'engine.io', 'engine.io-client', 'socket.io-adapter');
});

for (const [title, options] of [
  ['shared frames', {}],
  ['permessage-deflate', { perMessageDeflate: { threshold: 0 } }]
]) {
  describe(`Socket.IO with ${title}`, () => {
    let server;
    let url;
    let clients = [];

    before(async () => {
      const http = await listen();
      url = `http://127.0.0.1:${http.port}`;
      server = new Server(http.server, { transports: ['websocket'], ...options });
    });

    afterEach(async () => {
      const gone = [...server.sockets.sockets.values()].map((peer) => once(peer, 'disconnect'));
      for (const client of clients) client.close();
      clients = [];
      await Promise.all(gone);
    });

    after(async () => {
      await server.close();
    });

    /** Connects a client; returns both ends of the connection. */
    async function connect() {
      const client = io(url, {
        transports: ['websocket'],
        forceNew: true,
        reconnectionDelay: 1,
        reconnectionDelayMax: 1
      });
      clients.push(client);
      await once(client, 'connect');
      const peer = server.sockets.sockets.get(client.id);
      assert.equal(peer.conn.transport.name, 'websocket');
      assert.ok(peer.conn.transport.socket instanceof WebSocket, 'the server uses the subject');
      assert.ok(client.io.engine.transport.ws instanceof WebSocket, 'the client uses the subject');
      return { client, peer };
    }

    test('text and bytes in both directions, acknowledged', TIME_LIMIT, async () => {
      const { client, peer } = await connect();
      assert.equal(peer.handshake.address, '127.0.0.1');
      peer.on('echo', (...args) => args.pop()(...args));
      const answer = await client.emitWithAck('echo', { text: 'Grüße 🦀', bytes: BINARY });
      assert.equal(answer.text, 'Grüße 🦀');
      assert.ok(bytes(answer.bytes).equals(BINARY));

      client.on('echo', (value, acknowledge) => acknowledge(value));
      const [first, second] = await Promise.all([
        peer.emitWithAck('echo', 'x'.repeat(200_000)),
        peer.emitWithAck('echo', BINARY)
      ]);
      assert.equal(first, 'x'.repeat(200_000));
      assert.ok(bytes(second).equals(BINARY));
    });

    test('broadcast to all and to a room', TIME_LIMIT, async (context) => {
      const members = await Promise.all(
        [0, 1, 2, 3].map(async () => {
          const { client, peer } = await connect();
          const inbox = new Inbox();
          client.onAny((...args) => inbox.put(args));
          const sender = peer.conn.transport.socket._sender;
          const { mock } = context.mock.method(sender, 'sendFrame');
          return { client, peer, inbox, sending: mock };
        })
      );

      // Text for all: framed by Sender.frame once, and the same buffers given to each connection's sendFrame.
      const { mock: framing } = context.mock.method(WebSocket.Sender, 'frame');
      server.emit('news', 'ein Krebs: 🦀');
      for (const { inbox } of members) {
        assert.deepEqual(await inbox.next(), ['news', 'ein Krebs: 🦀']);
      }
      const shared = framing.calls.filter(({ result }) =>
        members.every(({ sending }) => sending.calls.some((call) => call.arguments[0] === result))
      );
      // With compression no frame is shared.
      assert.equal(shared.length, options.perMessageDeflate ? 0 : 1);

      // Bytes for all: a header as text and an attachment.
      server.emit('bytes', { attachment: BINARY });
      for (const { inbox } of members) {
        const [name, { attachment }] = await inbox.next();
        assert.equal(name, 'bytes');
        assert.ok(bytes(attachment).equals(BINARY));
      }

      // A room, from one of its members, which does not get the message itself; the third client is not a member.
      for (const { peer } of members.slice(0, 3)) peer.join('room');
      members[0].peer.to('room').emit('room', 1);
      assert.deepEqual(await members[1].inbox.next(), ['room', 1]);
      assert.deepEqual(await members[2].inbox.next(), ['room', 1]);

      // A broadcast that all acknowledge; it is the next message of the others.
      for (const { client } of members) {
        client.on('count', (value, acknowledge) => acknowledge(value + 1));
      }
      assert.deepEqual(await server.timeout(10_000).emitWithAck('count', 1), [2, 2, 2, 2]);
      for (const { inbox } of members) assert.equal((await inbox.next())[0], 'count');
    });

    test('disconnecting, from either side, and reconnecting', TIME_LIMIT, async () => {
      const { client, peer } = await connect();

      // The connection is lost: the client gets an event and reconnects by itself, with a new id.
      const lost = once(client, 'disconnect');
      const gone = once(peer, 'disconnect');
      const back = once(server, 'connection');
      peer.conn.transport.socket.terminate();
      assert.equal((await lost)[0], 'transport close');
      assert.equal((await gone)[0], 'transport close');
      const [again] = await back;
      assert.notEqual(again.id, peer.id);
      again.on('still there?', (acknowledge) => acknowledge('yes'));
      assert.equal(await client.emitWithAck('still there?'), 'yes');

      // The server closes it: the client does not reconnect.
      const ended = once(client, 'disconnect');
      again.disconnect(true);
      assert.equal((await ended)[0], 'io server disconnect');

      // The client reconnects explicitly and closes.
      const third = once(server, 'connection');
      const connected = once(client, 'connect');
      client.connect();
      await connected;
      const [last] = await third;
      const left = once(last, 'disconnect');
      client.disconnect();
      assert.equal((await left)[0], 'client namespace disconnect');
    });
  });
}

test('the ESM build of the client', TIME_LIMIT, async () => {
  const esm = await load('socket.io-client');
  const http = await listen();
  const server = new Server(http.server, { transports: ['websocket'] });
  const client = esm.io(`http://127.0.0.1:${http.port}`, {
    transports: ['websocket'],
    forceNew: true
  });
  const [peer] = await once(server, 'connection');
  assert.ok(client.io.engine.transport.ws instanceof WebSocket);
  const left = once(peer, 'disconnect');
  client.close();
  await left;
  await server.close();
});
