'use strict';

// The option deferReading: no message is emitted before the first listener, and none is lost, with clients and servers of ws.

const assert = require('node:assert/strict');
const { on, once } = require('node:events');
const test = require('node:test');
const theirs = require('ws');
const transportOf = require('../transport-of.cjs');
const { MODES, connect, frame, request, runLoop, startServer } = require('./servers');

const { WebSocket, createWebSocketStream } = require('ferrows');

/** @param {any} data */
const text = (data) => String(data);

/** The ways to get messages: each returns a promise of the first two. @type {Record<string, (ws: any) => Promise<string[]>>} */
const WAYS = {
  on: (ws) => collect((add) => ws.on('message', add)),
  addListener: (ws) => collect((add) => ws.addListener('message', add)),
  prependListener: (ws) => collect((add) => ws.prependListener('message', add)),
  once: (ws) =>
    collect((add) =>
      ws.once('message', (/** @type {any} */ first) => {
        add(first);
        ws.once('message', add);
      })
    ),
  prependOnceListener: (ws) =>
    collect((add) =>
      ws.prependOnceListener('message', (/** @type {any} */ first) => {
        add(first);
        ws.prependOnceListener('message', add);
      })
    ),
  addEventListener: (ws) =>
    collect((add) => ws.addEventListener('message', (/** @type {any} */ event) => add(event.data))),
  onmessage: (ws) =>
    collect((add) => {
      ws.onmessage = (/** @type {any} */ event) => add(event.data);
    }),
  'events.on()': async (ws) => {
    const found = [];
    for await (const [data] of on(ws, 'message')) {
      found.push(text(data));
      if (found.length === 2) break;
    }
    return found;
  },
  'createWebSocketStream()': async (ws) => {
    const found = [];
    const stream = createWebSocketStream(ws, { readableObjectMode: true });
    for await (const data of stream) {
      found.push(text(data));
      if (found.length === 2) break;
    }
    return found;
  }
};

/** @param {(add: (data: any) => void) => void} listen @returns {Promise<string[]>} the first two messages */
function collect(listen) {
  return new Promise((resolve) => {
    /** @type {string[]} */
    const found = [];
    listen((data) => {
      found.push(text(data));
      if (found.length === 2) resolve(found);
    });
  });
}

/**
 * A connection whose client has sent a message that the server could have read by now.
 *
 * @param {test.TestContext} context
 * @param {any} [options]
 * @param {string} [mode]
 */
async function open(context, options = { deferReading: true }, mode = 'port') {
  const started = await startServer(context, mode, options);
  const { url, wss } = started;
  const accepted = once(wss, 'connection');
  const client = connect(context, url);
  client.on('open', () => client.send('early'));
  const [socket] = await accepted;
  await runLoop(context);
  return { ...started, client, socket };
}

test('without the option, a message before the first listener is lost, as with ws', async (context) => {
  const { client, socket, wss } = await open(context, {});
  while (wss.stats().messagesReceived === 0) await runLoop(context);
  const received = once(socket, 'message');
  client.send('late');
  assert.equal(text((await received)[0]), 'late');
});

for (const mode of MODES) {
  for (const [name, receive] of Object.entries(WAYS)) {
    test(`{ ${mode} }: ${name} gets the first message`, async (context) => {
      const { client, socket, wss } = await open(context, undefined, mode);
      assert.equal(wss.stats().messagesReceived, 0);
      assert.equal(socket.isPaused, false);
      const received = receive(socket);
      client.send('late');
      assert.deepEqual(await received, ['early', 'late']);
      const internal = socket
        .eventNames()
        .filter((/** @type {any} */ event) => String(event).endsWith('Listener'));
      assert.deepEqual(internal, [], 'nothing is left of the deferral');
    });
  }

  test(`{ ${mode} }: messages in the packet of the handshake wait, too`, async (context) => {
    const { connectRaw, wss } = await startServer(context, mode, { deferReading: true });
    const accepted = once(wss, 'connection');
    const raw = connectRaw(() =>
      raw.write(Buffer.concat([Buffer.from(request()), frame(1, 'head'), frame(1, 'second')]))
    );
    context.after(() => raw.destroy());
    const [socket] = await accepted;
    await runLoop(context);
    assert.deepEqual(await WAYS.on(socket), ['head', 'second']);
  });

  test(`{ ${mode} }: a client that sends too much is slowed down by TCP`, async (context) => {
    const { client, socket, wss } = await open(context, undefined, mode);
    const COUNT = 256;
    const body = Buffer.alloc(256 * 1024);
    for (let index = 0; index < COUNT; index++) {
      body.writeUInt32BE(index);
      client.send(Buffer.from(body));
    }
    await runLoop(context);
    assert.ok(client.bufferedAmount > 0, 'the kernel takes no more');
    assert.equal(wss.stats().messagesReceived, 0);
    const kind = transportOf(socket)?.kind;
    // A paused stream of Node reads ahead.
    assert.ok(socket._socket.bytesRead < (kind === 'stream' ? 1024 : 4) * 1024);

    const received = await new Promise((resolve) => {
      /** @type {any[]} */
      const all = [];
      socket.on('message', (/** @type {any} */ data) => {
        all.push(all.length === 0 ? text(data) : data.readUInt32BE(0));
        if (all.length === COUNT + 1) resolve(all);
      });
    });
    assert.deepEqual(received, ['early', ...Array.from({ length: COUNT }, (_, index) => index)]);
  });

  test(`{ ${mode} }: close() before a listener completes the closing handshake`, async (context) => {
    const { client, socket } = await open(context, undefined, mode);
    const closed = [once(socket, 'close'), once(client, 'close')];
    socket.close(4000, 'enough');
    const [[code], [clientCode, reason]] = await Promise.all(closed);
    assert.deepEqual([code, clientCode, text(reason)], [4000, 4000, 'enough']);
  });

  test(`{ ${mode} }: terminate() before a listener ends the connection`, async (context) => {
    const { client, socket } = await open(context, undefined, mode);
    const closed = [once(socket, 'close'), once(client, 'close')];
    socket.terminate();
    const [[code], [clientCode]] = await Promise.all(closed);
    assert.deepEqual([code, clientCode], [1006, 1006]);
  });

  test(`{ ${mode} }: the messages of a client that has closed are emitted, then its close`, async (context) => {
    const { client, socket } = await open(context, undefined, mode);
    client.send('last');
    client.close(4001);
    await runLoop(context);
    assert.equal(socket.readyState, WebSocket.OPEN);
    const closed = once(socket, 'close');
    assert.deepEqual(await WAYS.on(socket), ['early', 'last']);
    assert.equal((await closed)[0], 4001);
  });

  test(`{ ${mode} }: an end without a byte is noticed by the first listener at the latest`, async (context) => {
    const { wss, connectRaw } = await startServer(context, mode, { deferReading: true });
    const accepted = once(wss, 'connection');
    const raw = connectRaw(() => raw.write(request()));
    raw.on('error', () => {});
    const [socket] = await accepted;
    const closed = once(socket, 'close');
    raw.end();
    raw.resume();
    await runLoop(context);
    socket.on('message', () => {});
    assert.equal((await closed)[0], 1006);
  });

  test(`{ ${mode} }: resume() does not start to read, pause() outlasts the first listener`, async (context) => {
    const { client, socket } = await open(context, undefined, mode);
    socket.resume();
    socket.pause();
    socket.resume();
    await runLoop(context);
    socket.pause();
    const received = WAYS.on(socket);
    let isPaused = true;
    socket.prependListener('message', () => assert.equal(isPaused, false));
    await runLoop(context);
    isPaused = false;
    socket.resume();
    client.send('late');
    assert.deepEqual(await received, ['early', 'late']);
  });
}

test('a listener that is added in the constructor of a subclass needs no deferral', async (context) => {
  class Own extends WebSocket {
    /** @param {[any, any, any]} args */
    constructor(...args) {
      super(...args);
      this.received = WAYS.on(this);
    }
  }
  const { client, socket } = await open(context, { deferReading: true, WebSocket: Own });
  client.send('late');
  assert.deepEqual(await socket.received, ['early', 'late']);
});

test('removeAllListeners() removes no internal state', async (context) => {
  for (const args of [[], ['newListener'], ['removeListener']]) {
    const { client, socket } = await open(context);
    socket.removeAllListeners(...args);
    await runLoop(context);
    socket.removeAllListeners(...args);
    // A listener in the same tick, too.
    const received = WAYS.on(socket);
    client.send('late');
    assert.deepEqual(await received, ['early', 'late']);
  }
});

test('listeners of the bytes of the socket see none before the first listener', async (context) => {
  const { client, socket } = await open(context);
  let bytes = 0;
  socket._socket.on('data', (/** @type {Buffer} */ chunk) => (bytes += chunk.length));
  await runLoop(context);
  assert.equal(bytes, 0);
  const received = WAYS.on(socket);
  client.send('late');
  assert.deepEqual(await received, ['early', 'late']);
});

for (const deferReading of [true, false]) {
  test(`client, deferReading: ${deferReading}`, async (context) => {
    const wss = new theirs.WebSocketServer({ host: '127.0.0.1', port: 0 });
    context.after(() => wss.close());
    await once(wss, 'listening');
    wss.on('connection', (ws) => {
      ws.send('early');
      ws.on('message', (data) => ws.send(data));
    });
    const { port } = /** @type {import('net').AddressInfo} */ (wss.address());
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { deferReading });
    context.after(() => client.terminate());
    await once(client, 'open');
    do await runLoop(context);
    while (!deferReading && transportOf(client).messagesReceived === 0);
    /** @type {string[]} */
    const found = [];
    client.on('message', (data) => found.push(text(data)));
    client.send('late');
    while (found.at(-1) !== 'late') await once(client, 'message');
    assert.deepEqual(found, deferReading ? ['early', 'late'] : ['late']);
  });
}
