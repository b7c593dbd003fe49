'use strict';

// The addon's listening socket, driven without a WebSocketServer: arrivals, their outcomes, and the resources left afterwards.

const assert = require('node:assert/strict');
const { EventEmitter, once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const ws = require('ws');

const native = require('../../lib/native.js');
const { configure } = require('../../lib/transport/config-cache.js');
const { Child } = require('../transport/child.js');
const { UNLIMITED } = require('../transport/pairs.js');
const { Listening } = require('./listening.js');

const REQUEST =
  'GET /path HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n';

test('a client of ws is answered, and exchanges messages', async (t) => {
  const listening = new Listening(t);
  const client = new ws.WebSocket(`ws://127.0.0.1:${listening.port}/chat?a=b`, ['x', 'y'], {
    headers: { 'X-Odd': 'caf\u00e9' }
  });
  const { number, head, rawHeaders, rest } = await listening.next();
  assert.ok(head.startsWith('GET /chat?a=b HTTP/1.1\r\n') && head.endsWith('\r\n\r\n'));
  assert.equal(rest, '');
  const headers = Object.fromEntries(
    rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]]] : []
    )
  );
  assert.equal(headers['sec-websocket-protocol'], 'x,y');
  assert.equal(headers['x-odd'], 'caf\u00e9');

  const { listener } = listening;
  assert.deepEqual(listener.localAddress(number), listener.address());
  const remote = listener.remoteAddress(number);
  const socket = listening.release(number);
  assert.equal(remote.port, socket.remotePort);
  assert.equal(listener.remoteAddress(number), null);
  assert.equal(listener.release(number), -1);
  const accept = native.acceptKey(headers['sec-websocket-key']);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: x\r\n\r\n\x81\x02hi`,
    'latin1'
  );
  const [text] = await once(client, 'message');
  assert.equal(String(text), 'hi');
  client.terminate();
  await once(socket.resume(), 'end');
});

/** Records the kinds of a connection's records. */
class Owner extends EventEmitter {
  kinds = [];

  deliver(count) {
    const records = new Uint32Array(native.environment.records());
    for (let index = 0; index < count; index++) this.kinds.push(records[4 + 4 * index] & 0xff);
    this.emit('records');
    return false;
  }

  async has(/** @type {number} */ kind) {
    while (!this.kinds.includes(kind)) await once(this, 'records');
  }
}

for (const transport of /** @type {const} */ (['event_loop', 'io_threads'])) {
  for (const isLate of [false, true]) {
    const how = `on ${transport}${isLate ? ', polled before' : ''}`;
    test(`a connection takes what is held, answers it and reads on: ${how}`, async (t) => {
      const listening = new Listening(t);
      const client = await listening.connect();
      if (isLate) await listening.acceptPending();
      client.write(`${REQUEST}\x81\x82\0\0\0\0hi`, 'latin1');
      const { number, rest } = await listening.next();
      const adopt = () =>
        native.adopt(
          number,
          configure(UNLIMITED).id,
          'HTTP/1.1 101 caf\u00e9\r\n\r\n',
          Buffer.from(rest, 'latin1'),
          native.Driver[transport]
        );
      native.environment.ref();
      const id = adopt();
      assert.ok(id > native.NO_CONNECTION);
      const owner = new Owner();
      native.setOwner(id, owner);
      // The connection is adopted and the response is being written, before any message.
      assert.equal(listening.listener.release(number), -1);
      assert.deepEqual([native.queuedTotal(id), native.writtenTotal(id), owner.kinds], [0, 0, []]);
      const [answer] = await once(client, 'data');
      assert.equal(String(answer), 'HTTP/1.1 101 caf\u00e9\r\n\r\n');
      await owner.has(native.RecordKind.MESSAGE);
      assert.equal(native.bytesRead(id), 8);
      client.write('\x89\x80\0\0\0\0', 'latin1');
      await owner.has(native.RecordKind.PING);
      native.pong(id, '', native.SendFlag.STRING);
      native.flushNow(id);
      assert.deepEqual((await once(client, 'data'))[0], Buffer.from([0x8a, 0]));
      native.free(id);
      await once(client, 'close');
      native.environment.unref();
      assert.equal(adopt(), -1);
    });
  }
}

test('the part of the response that the kernel refuses is queued', async (t) => {
  const listening = new Listening(t);
  const client = await listening.connect();
  client.pause();
  client.write(REQUEST);
  const { number } = await listening.next();
  const answer = 'x'.repeat(32 * 1024 * 1024);
  native.environment.ref();
  const id = native.adopt(
    number,
    configure(UNLIMITED).id,
    answer,
    undefined,
    native.Driver.event_loop
  );
  native.setOwner(id, new Owner());
  const queued = native.queuedTotal(id);
  assert.ok(queued > 0 && queued < answer.length);
  assert.ok(native.pending(id) > 0);
  let received = 0;
  for await (const chunk of client) {
    received += chunk.length;
    if (received === answer.length) break;
  }
  assert.equal(native.writtenTotal(id), queued);
  native.free(id);
  native.environment.unref();
});

test('a reused number gets nothing meant for its predecessor', async (t) => {
  const listening = new Listening(t);
  const clients = [await listening.connect(), await listening.connect()];
  for (const client of clients) client.write(REQUEST);
  const numbers = [(await listening.next()).number, (await listening.next()).number];
  const adopt = () =>
    native.adopt(numbers.shift(), configure(UNLIMITED).id, '', undefined, native.Driver.event_loop);
  const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
  native.environment.ref();
  const id = adopt();
  const counts = [];
  const next = new Promise((resolve) => {
    // Wants to be called again, and is gone by then.
    const deliver = () => {
      process.nextTick(() => {
        native.free(id);
        const owner = (/** @type {number} */ count) => {
          counts.push(count);
          resolve();
          return false;
        };
        assert.equal(adopt(), id);
        native.setOwner(id, { deliver: owner });
        for (const client of clients) client.write(ping);
      });
      return true;
    };
    native.setOwner(id, { deliver });
  });
  for (const client of clients) client.write(ping);
  await next;
  assert.deepEqual(counts, [2]);
  native.free(id);
  native.environment.unref();
  for (const client of clients) client.destroy();
});

test('each connection has a callback scope of its own, in no async context', async (t) => {
  const child = new Child(t, '../../listener/children/scopes.js');
  const arrival = 'arrived in undefined';
  const steps = [arrival, 'tick', 'microtask', arrival, 'thrown 2', arrival, 'thrown 3'];
  assert.deepEqual(await child.finished(), { code: 0, signal: null, lines: [steps] });
});

test('a request without an upgrade can be handed to a server of Node', async (t) => {
  const server = http.createServer((_req, res) => res.end('plain'));
  const listening = new Listening(t);
  for (const [request, answer] of [
    ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 200 OK[^]*plain$/],
    ['\x16\x03\x01', /^HTTP\/1\.1 400 Bad Request/],
    [`GET / HTTP/1.1\r\nA: ${'b'.repeat(20000)}`, /^HTTP\/1\.1 431 /]
  ]) {
    const client = await listening.connect();
    client.write(request, 'latin1');
    const { number, aside, rest } = await listening.next();
    assert.equal(aside, 'other');
    const socket = listening.release(number);
    socket.unshift(Buffer.from(rest, 'latin1'));
    server.emit('connection', socket);
    let received = '';
    for await (const chunk of client) received += chunk;
    assert.match(received, answer);
  }
});

test('check() reports slow clients, and those that end early at once', async (t) => {
  const listening = new Listening(t);
  const slow = await listening.connect();
  slow.write('GET /');
  const half = await listening.connect();
  half.end('GET /half');
  const ended = await listening.next();
  assert.deepEqual(ended, { number: ended.number, aside: 'ended', rest: 'GET /half' });
  listening.listener.discard(ended.number);
  listening.listener.check(3_600_000);
  listening.listener.check(0);
  const late = await listening.next();
  assert.deepEqual(late, { number: late.number, aside: 'late', rest: 'GET /' });
  listening.listener.discard(late.number);
  await once(slow, 'close');
});

test('close() closes or falls back; held connections stay', async (t) => {
  for (const fallBack of [false, true]) {
    const listening = new Listening(t);
    const { port } = listening;
    const held = await listening.connect();
    held.write(REQUEST);
    const { number } = await listening.next();
    const pending = await listening.connect();
    await listening.acceptPending();
    listening.close(fallBack);
    assert.equal(listening.listener.address(), null);
    const refused = net.connect(port, '127.0.0.1');
    assert.equal((await once(refused, 'error'))[0].code, 'ECONNREFUSED');
    if (fallBack) {
      const arrival = await listening.next();
      assert.equal(arrival.aside, 'closed');
      listening.listener.discard(arrival.number);
    }
    await once(pending.resume(), 'close');
    listening.release(number).end('still here');
    const [text] = await once(held, 'data');
    assert.equal(String(text), 'still here');
    held.destroy();
  }
});

test('it listens on bound handles only, and leaves a path to its owner', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ferrows-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'socket');
  const listening = new Listening(t, { path: file });
  assert.equal(listening.error, 0);
  assert.equal(listening.listener.address(), null);
  const client = net.connect(file).on('error', () => {});
  client.write(REQUEST);
  const { number } = await listening.next();
  assert.equal(listening.listener.remoteAddress(number), null);
  listening.listener.discard(number);
  assert.equal(listening.listen({ backlog: 1 }), 0);
  listening.listener.close(false);
  assert.ok(fs.existsSync(file));

  assert.equal(new Listening(t, { fd: -1 }).error, -os.constants.errno.EBADF);
  const taken = new Listening(t);
  const unbound = /** @type {any} */ (net)._createServerHandle('127.0.0.1', taken.port, 4);
  t.after(() => unbound.close());
  assert.equal(new Listening(t, { fd: unbound.fd }).error, -os.constants.errno.EADDRINUSE);
});

test('it and each connection keep the loop alive, unless unreferenced', async (t) => {
  const ended = { code: 0, signal: null, lines: [] };
  const start = async (/** @type {string} */ what) => {
    const child = new Child(t, '../../listener/children/alive.js', { WHAT: what });
    const { port } = await child.next();
    const connect = async () => {
      const client = net.connect(port, '127.0.0.1').on('error', () => {});
      await once(client, 'connect');
      return client;
    };
    return { child, connect };
  };

  assert.deepEqual(await (await start('nothing')).child.finished(), ended);

  const listening = await start('listener');
  (await listening.connect()).write('?');
  assert.deepEqual(await listening.child.next(), { arrived: 1 });
  assert.deepEqual(await listening.child.finished(), ended);

  const { child, connect } = await start('connection');
  const first = await connect();
  (await connect()).write('?');
  assert.deepEqual(await child.next(), { arrived: 1 });
  // The first connection is the only one.
  first.write('?');
  assert.deepEqual(await child.next(), { arrived: 2 });
  assert.deepEqual(await child.finished(), ended);
});

test('a worker that ends closes everything', async (t) => {
  const child = new Child(t, '../../listener/children/worker.js');
  const { port } = await child.next();
  const clients = [];
  for (const bytes of ['', 'GET /', REQUEST]) {
    const client = net.connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.write(bytes);
    clients.push(client.resume().on('error', () => {}));
  }
  assert.deepEqual(await child.next(), { arrived: true });
  const closed = clients.map((client) => once(client, 'close'));
  child.send('end');
  await Promise.all(closed);
  assert.deepEqual(await child.finished(), { code: 0, signal: null, lines: [] });
});
