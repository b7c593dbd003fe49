'use strict';

// Several connections with both ends in this process, as in most tests of programs: one interleaved trace of all messages,
// callbacks, ticks, microtasks, immediates and ends. With I/O threads only the order within each connection is compared.

const { once } = require('node:events');
const net = require('node:net');

const { scenario } = require('../run');
const { LOOPBACK } = require('../context');
const { KEY, OPCODE, frame } = require('../frames');
const { upgradeRequest } = require('../raw-peer');

const { text } = OPCODE;

/** Two iterations of the event loop: everything scheduled before has run. */
async function twoIterations() {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Records the order of callbacks that a listener schedules. */
function recordScheduling(t, lane, after) {
  process.nextTick(() => t.log(lane, `tick after ${after}`));
  queueMicrotask(() => t.log(lane, `microtask after ${after}`));
  setImmediate(() => t.log(lane, `immediate after ${after}`));
}

/** @returns {(err?: Error | null) => void} a callback of send() */
function sendCallback(t, lane, what) {
  return (err) => {
    t.log(lane, `sent ${what}`, err?.message);
    recordScheduling(t, lane, what);
  };
}

/**
 * Open pairs with one server and their lanes.
 *
 * @param {number} count
 * @param {object} [options] of the server and the clients
 */
async function openPairs(t, count, { server: serverOptions, client: clientOptions } = {}) {
  const wss = await t.listen(serverOptions);
  const all = [];
  for (let i = 0; i < count; i++) {
    const client = t.openClient(t.url(wss), undefined, clientOptions);
    const { server } = await t.accepted(wss);
    await t.opened(client);
    await twoIterations();
    const suffix = i === 0 ? '' : `${i + 1}`;
    const pair = { server, client, ours: `server${suffix}`, theirs: `client${suffix}` };
    for (const [ws, lane] of [
      [server, pair.ours],
      [client, pair.theirs]
    ]) {
      ws.on('message', (data) => recordScheduling(t, lane, String(data).slice(0, 12)));
      ws.on('close', () => {
        if (t.trace.isInterleaved) t.log(lane, 'clients', wss.clients.size);
        recordScheduling(t, lane, 'close');
      });
    }
    all.push(pair);
  }
  return { wss, all };
}

async function closeAll(t, all) {
  await t.closed(...all.flatMap(({ server, client }) => [server, client]));
  await twoIterations();
}

scenario(
  'S10 order: callbacks, ticks between sends, and replies',
  'together',
  async (t) => {
    const { all } = await openPairs(t, 3);
    for (const { server, ours } of all) {
      server.on('message', (data) =>
        server.send(`re ${data}`, sendCallback(t, ours, `re ${data}`))
      );
    }
    for (const { client, theirs } of all) {
      client.send('a', sendCallback(t, theirs, 'a'));
      process.nextTick(() => t.log(theirs, 'tick between'));
      client.send('b', sendCallback(t, theirs, 'b'));
    }
    await Promise.all(all.map(({ client }) => t.emitted(client, 'message', 2)));
    await twoIterations();
  },
  { onThreads: false }
);

scenario(
  'S10 order: a callback that sends, and one that closes',
  'together',
  async (t) => {
    const { all } = await openPairs(t, 2);
    for (const { server, client, ours, theirs } of all) {
      client.send('first', () => {
        t.log(theirs, 'sent first');
        client.send('second', () => {
          t.log(theirs, 'sent second');
          client.close(1000, 'done');
        });
      });
      server.ping('x', undefined, sendCallback(t, ours, 'ping'));
    }
    await closeAll(t, all);
  },
  { onThreads: false }
);

scenario(
  'S10 order: callbacks of a broadcast',
  'together',
  async (t) => {
    const { wss, all } = await openPairs(t, 4);
    for (const { server, ours } of all) {
      server.on('message', (data) => {
        for (const ws of wss.clients) ws.send(`${ours} ${data}`, sendCallback(t, ours, 'to one'));
      });
    }
    for (const { client } of all) client.send('all');
    await Promise.all(all.map(({ client }) => t.emitted(client, 'message', 4)));
    await twoIterations();
  },
  { onThreads: false }
);

scenario(
  'D5 order: chunks of a stream that were written before it opened',
  'together',
  async (t) => {
    const wss = await t.listen();
    let hasStart = false;
    wss.on('connection', (ws) => {
      ws.on('message', (data) => {
        if (String(data) === 'init') ws.send('ack');
        else hasStart = true;
      });
    });
    const client = t.openClient(t.url(wss));
    const stream = t.lib.createWebSocketStream(client, { encoding: 'utf8', objectMode: true });
    t.defer(() => stream.destroy());
    stream.write('init', () => t.log('client', 'init written'));
    stream.write('start', () => t.log('client', 'start written'));
    const [chunk] = await once(stream, 'data');
    t.log('client', chunk, hasStart);
  }
);

scenario(
  'C8 order: a server greets, a client that opens sends first',
  'together',
  async (t) => {
    const wss = await t.listen();
    wss.on('connection', (ws) => {
      ws.on('message', (data) => recordScheduling(t, 'server', String(data)));
      ws.send('hello', sendCallback(t, 'server', 'hello'));
      ws.send('again', sendCallback(t, 'server', 'again'));
    });
    const client = t.openClient(t.url(wss));
    client.on('open', () => {
      recordScheduling(t, 'client', 'open');
      client.send('first', sendCallback(t, 'client', 'first'));
    });
    client.on('message', (data) => recordScheduling(t, 'client', String(data)));
    const { server } = await t.accepted(wss);
    await t.emitted(server, 'message');
    await t.emitted(client, 'message', 2);
    await twoIterations();
  },
  { onThreads: false }
);

scenario('C8 order: bytes after the response and after the request', 'together', async (t) => {
  const wss = await t.listen();
  wss.on('connection', (ws) => {
    recordScheduling(t, 'server', 'connection');
    ws.on('message', (data) => recordScheduling(t, 'server', String(data)));
  });
  const known = [frame(text, 'one', { key: KEY }), frame(text, 'two', { key: KEY })];
  const raw = await t.rawClient(wss);
  raw.write(Buffer.concat([Buffer.from(upgradeRequest()), ...known]));
  const { server } = await t.accepted(wss);
  await t.emitted(server, 'message', 2);
  await twoIterations();
  raw.finish();
});

scenario(
  'P1 order: pings and pongs of several connections',
  'together',
  async (t) => {
    const { all } = await openPairs(t, 3);
    for (const { server, client, ours, theirs } of all) {
      client.ping('c', undefined, sendCallback(t, theirs, 'ping'));
      server.ping('s', undefined, sendCallback(t, ours, 'ping'));
    }
    await Promise.all(
      all.flatMap((one) => [t.emitted(one.client, 'pong'), t.emitted(one.server, 'pong')])
    );
    await twoIterations();
  },
  { onThreads: false }
);

scenario(
  'E1 order: ticks and microtasks of a message before a later error',
  'together',
  async (t) => {
    const { all } = await openPairs(t, 2);
    for (const { server, client, ours } of all) {
      server.on('message', () => {
        process.nextTick(() => {
          t.log(ours, 'tick');
          process.nextTick(() => {
            t.log(ours, 'tick in a tick');
            process.nextTick(() => t.log(ours, 'third tick'));
          });
        });
        Promise.resolve().then(() => t.log(ours, 'promise'));
      });
      server.on('error', () => recordScheduling(t, ours, 'error'));
      client._socket.write(
        Buffer.concat([frame(text, 'good', { key: KEY }), frame(text, 'bad', { key: KEY, rsv: 2 })])
      );
    }
    await closeAll(t, all);
  },
  { onThreads: false }
);

/** The beginning of a frame. */
const HALF = frame(text, 'half', { key: KEY }).subarray(0, 8);

for (const [what, end] of Object.entries({
  'the client closes': ({ client }) => client.close(1000),
  'the server closes': ({ server }) => server.close(1000),
  'both close': ({ client, server }) => {
    server.close(1000);
    client.close(1001);
  },
  'a message, then a close': ({ client, server }) => {
    server.on('message', () => server.send('too late', () => {}));
    client.send('last');
    client.close(3000, 'bye');
  },
  'the client ends its socket': ({ client }) => client._socket.end(),
  'the server ends its socket': ({ server }) => server._socket.end(),
  'half a message, then the client ends its socket': ({ client }) => {
    client._socket.write(HALF, () => client._socket.end());
  },
  // Both have ended when the last bytes are read. Versions of libuv differ in the cycle in which they report that.
  'a message, then both end their sockets': ({ client, server }) => {
    client.send('last', () => {
      server._socket.end();
      client._socket.end();
    });
  },
  'half a message, then both end their sockets': ({ client, server }) => {
    client._socket.write(HALF, () => {
      server._socket.end();
      client._socket.end();
    });
  },
  'the client writes to a socket that the server has ended': ({ client, server }) => {
    client._socket.on('end', () => {
      client._socket.write('late', (err) => err?.code);
      client._socket.end('later');
    });
    server._socket.end();
  },
  'a message, then the client resets': ({ client }) => {
    client.send('last', () => client._socket.resetAndDestroy());
  },
  'a message, then the server resets': ({ server }) => {
    server.send('last', () => server._socket.resetAndDestroy());
  },
  'half a message, then the server ends and the client resets': ({ client, server }) => {
    client._socket.write(HALF, () => {
      server._socket.end();
      client._socket.resetAndDestroy();
    });
  }
})) {
  scenario(
    `K4 order: ${what}`,
    'together',
    async (t) => {
      const { all } = await openPairs(t, 1);
      for (const pair of all) end(pair);
      await closeAll(t, all);
    },
    { onThreads: false }
  );
}

for (const [what, end] of Object.entries({
  client: ({ client }) => client.terminate(),
  server: ({ server }) => server.terminate()
})) {
  scenario(
    `K7 order: the ${what} terminates`,
    'together',
    async (t) => {
      const { all } = await openPairs(t, 1);
      for (const pair of all) end(pair);
      await closeAll(t, all);
    },
    { onThreads: false }
  );
}

scenario(
  'K5 order: close in a listener of message, of close, and of another connection',
  'together',
  async (t) => {
    const { all } = await openPairs(t, 3);
    const [first, second, third] = all;
    first.server.on('message', () => {
      first.server.close(1000);
      second.server.close(1000);
    });
    first.client.on('close', () => third.client.terminate());
    first.client.send('go');
    await closeAll(t, all);
  },
  { onThreads: false }
);

scenario(
  'W4 order: wss.clients while sockets close, beside another socket of Node',
  'together',
  async (t) => {
    const { wss, all } = await openPairs(t, 2);
    const plain = net.createServer((socket) => {
      socket.resume();
    });
    plain.listen(0, LOOPBACK);
    await once(plain, 'listening');
    t.defer(() => plain.close());
    const other = net.connect(plain.address().port, LOOPBACK);
    await once(other, 'connect');
    await twoIterations();
    other.on('close', () => t.log('plain client', 'close'));
    all[0].server.terminate();
    other.destroy();
    all[1].server.terminate();
    wss.close(() => t.log('wss', 'closed', wss.clients.size));
    await closeAll(t, all);
  },
  { onThreads: false }
);

scenario('S12 order: sends after the socket was ended', 'together', async (t) => {
  const { all } = await openPairs(t, 1);
  const [{ client, theirs }] = all;
  client._socket.end();
  client.send('late', sendCallback(t, theirs, 'late'));
  client.ping('late', undefined, sendCallback(t, theirs, 'late ping'));
  await closeAll(t, all);
});
