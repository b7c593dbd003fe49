'use strict';

// The closing handshake and the state machine: statements K1 to K9.

const { once } = require('node:events');
const { scenario } = require('../run');
const { valueText } = require('../trace');
const { OPCODE, closeBody } = require('../frames');

const BOTH = ['server', 'client'];
const { text, ping, close } = OPCODE;

/** Valid arguments of close(). */
const ARGUMENTS = [
  [],
  [1000],
  [1000, ''],
  [1001, 'going away'],
  [1014, Buffer.from('as a Buffer')],
  [3000, new Uint8Array([103, 114, 195, 188])],
  [4999, 'ü'.repeat(61)],
  [undefined, 'reason without code'],
  [1000, undefined]
];

for (const args of ARGUMENTS) {
  const shown = args.map(valueText).join(', ').slice(0, 50);
  scenario(`K2 close(${shown}) from the client`, 'pair', async (t) => {
    const { server, client } = await t.pair();
    t.attempt('client', 'close', () => client.close(...args));
    t.trace.event('client', 'state', [], client);
    await t.closed(server, client);
  });

  scenario(`K2 close(${shown}) from the server`, 'pair', async (t) => {
    const { server, client } = await t.pair();
    t.attempt('server', 'close', () => server.close(...args));
    t.trace.event('server', 'state', [], server);
    await t.closed(server, client);
  });
}

scenario(
  'K2 close() with an invalid code or reason throws and changes nothing',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    const all = [
      [null],
      ['1000'],
      [999],
      [1004],
      [1005],
      [1006],
      [1015],
      [2999],
      [5000],
      [0],
      [1000, 'x'.repeat(124)],
      [1000, Buffer.alloc(124)],
      [1000, 12],
      [1000, {}],
      [1000, null],
      [1000, new Uint16Array(2)],
      [1000, new ArrayBuffer(2)],
      [1000, ['a']]
    ];
    for (const args of all) {
      t.attempt(lane, `close(${args.map(valueText).join(', ').slice(0, 50)})`, () =>
        ws.close(...args)
      );
      if (ws.readyState !== 1) t.trace.event(lane, 'state', [], ws);
    }
    ws.close(4000, 'good');
    t.logFrames(await raw.frame());
  }
);

scenario('K2 close() with numbers that are not codes', BOTH, async (t) => {
  for (const code of [1000.5, NaN, Infinity, -1000]) {
    const { ws, lane } = await t.withRawPeer();
    t.attempt(lane, `close(${code})`, () => ws.close(code));
    t.trace.event(lane, 'state', [], ws);
  }
});

scenario('K3 close() again in CLOSING and CLOSED', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.close(3000, 'first');
  t.attempt('client', 'close', () => client.close(3001, 'second'));
  t.attempt('client', 'bad code', () => client.close(1));
  await t.closed(server, client);
  t.attempt('client', 'close', () => client.close(3002, 'third'));
  t.attempt('client', 'bad code', () => client.close(1));
  t.attempt('client', 'terminate', () => client.terminate());
  t.trace.event('client', 'state', [], client);
});

scenario('K4 simultaneous close with different codes', 'pair', async (t) => {
  const { server, client } = await t.pair();
  server.close(3001, 'from the server');
  client.close(3002, 'from the client');
  await t.closed(server, client);
});

scenario('K4 simultaneous close with a raw peer', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.close(3001, 'ours');
  t.logFrames(await raw.frame());
  raw.close(3002, 'theirs');
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('K4 both ends half-close after the handshake', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.close(1000, 'bye');
  t.logFrames(await raw.frame());
  t.log('wire', 'rest', await raw.rest());
  t.trace.event('wire', 'state of the other side', [], ws);
  raw.finish();
  await t.closed(ws);
});

scenario('K4 close() in a listener of the last message before a close frame', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('message', () => ws.close(3000, 'mine'));
  raw.write(Buffer.concat([raw.make(text, 'x'), raw.make(close, closeBody(3001, 'yours'))]));
  t.logFrames(await raw.frame());
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('K4 close() in a close listener does nothing', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.on('close', () => {
    t.attempt('client', 'close', () => client.close(1000));
    t.attempt('client', 'terminate', () => client.terminate());
    t.attempt('client', 'send', () => client.send('x'));
    t.attempt('client', 'pause', () => client.pause());
    t.log('client', 'paused', client.isPaused);
  });
  server.close(1000);
  await t.closed(server, client);
});

scenario(
  'K4 the echo is sent after the reply to a message of the same chunk',
  'pair',
  async (t) => {
    const { server, client } = await t.pair();
    server.on('message', (data) => server.send(`echo ${data}`));
    client.send('one');
    client.send('two');
    client.close(1000, 'done');
    await t.closed(server, client);
  }
);

scenario('K5 much data before the close is delivered first', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (let i = 0; i < 50; i++) client.send(Buffer.alloc(40000, i));
  client.close(1000, 'after the data');
  await t.closed(server, client);
});

scenario('K5 large data in both directions, then close', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (let i = 0; i < 20; i++) {
    client.send(Buffer.alloc(100000, i));
    server.send('x'.repeat(100000));
  }
  server.close(1000, 'done');
  await t.closed(server, client);
});

scenario('K6 messages after close() are still delivered', 'pair', async (t) => {
  const { server, client } = await t.pair();
  server.on('message', () => {
    for (let i = 0; i < 5; i++) server.send(`late ${i}`);
    server.ping('late');
  });
  client.send('go');
  client.close(1000);
  await t.closed(server, client);
});

scenario('K6 pings after close() are not answered', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.close(1000);
  t.logFrames(await raw.frame());
  raw.send(ping, 'x');
  raw.close(1000);
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('K7 terminate()', 'pair', async (t) => {
  const { server, client } = await t.pair();
  t.attempt('client', 'terminate', () => client.terminate());
  t.trace.event('client', 'state', [], client);
  process.nextTick(() => t.trace.event('client', 'tick', [client.listenerCount('close') > 0]));
  t.attempt('client', 'terminate again', () => client.terminate());
  await t.closed(server, client);
});

scenario('K7 terminate() of the server side', 'pair', async (t) => {
  const { server, client } = await t.pair();
  server.terminate();
  t.trace.event('server', 'state', [], server);
  await t.closed(server, client);
});

for (const [name, end] of [
  ['terminate()', (ws) => ws.terminate()],
  ['destroying the raw socket', (ws, socket) => socket.destroy()],
  ['ending the raw socket', (ws, socket) => socket.end()]
]) {
  scenario(`K7 bytes accepted by the kernel before ${name} arrive`, BOTH, async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    const socket = ws._socket;
    ws.send('first', (err) => t.log(lane, 'first', err));
    ws.send(Buffer.alloc(1000, 'second'), (err) => t.log(lane, 'second', err));
    ws.ping('third', undefined, (err) => t.log(lane, 'third', err));
    end(ws, socket);
    for (let i = 0; i < 3; i++) t.logFrames(await raw.frame());
    raw.finish();
    await t.closed(ws);
  });
}

scenario('K7 terminate() after close()', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.close(1000);
  t.logFrames(await raw.frame());
  ws.terminate();
  t.trace.event(lane, 'state', [], ws);
  await t.closed(ws);
});

scenario('K7 terminate() in CLOSING after a close frame keeps its code', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('message', () => {});
  raw.close(3005, 'kept');
  await raw.framesThrough(close);
  ws.terminate();
  await t.closed(ws);
});

scenario('K8 wasClean', 'pair', async (t) => {
  const ways = [
    ({ client }) => client.close(1000, 'a'),
    ({ server }) => server.close(),
    ({ client }) => client.terminate(),
    ({ client }) => client.send('x', { mask: false })
  ];
  for (const way of ways) {
    const both = await t.pair();
    const { server, client } = both;
    for (const [lane, ws] of Object.entries({ server, client })) {
      ws.addEventListener('close', (event) => {
        t.log(lane, 'CloseEvent', event.code, event.reason, event.wasClean);
      });
    }
    way(both);
    await t.closed(server, client);
  }
});

scenario(
  'K2 closeTimeout ends a close that is never answered',
  BOTH,
  async (t) => {
    const { raw, ws } = await t.withRawPeer({ closeTimeout: 30 });
    ws.close(1000);
    t.logFrames(await raw.frame());
    // The raw peer sends nothing more; only the timer ends this.
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario(
  'K2 closeTimeout when the peer sends messages',
  BOTH,
  async (t) => {
    const { raw, ws } = await t.withRawPeer({ closeTimeout: 300 });
    ws.close(1000);
    t.logFrames(await raw.frame());
    raw.send(text, 'no close frame');
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario(
  'K2 closeTimeout after the handshake, while the peer keeps its side open',
  BOTH,
  async (t) => {
    const { raw, ws } = await t.withRawPeer({ closeTimeout: 30 });
    raw.close(1000, 'but no FIN');
    t.logFrames(await raw.frame());
    t.log('wire', 'rest', await raw.rest());
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario(
  'K2 closeTimeout after a protocol error',
  BOTH,
  async (t) => {
    const { raw, ws } = await t.withRawPeer({ closeTimeout: 30 });
    raw.send(3, 'x');
    t.logFrames(await raw.frame());
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario('K2 closeTimeout of 0', BOTH, async (t) => {
  const { ws } = await t.withRawPeer({ closeTimeout: 0 });
  ws.close(1000);
  await t.closed(ws);
});

scenario(
  'K9 a paused side does not process the close frame',
  'pair',
  async (t) => {
    const { server, client } = await t.pair({ client: { closeTimeout: 30 } });
    server.pause();
    client.close(3000, 'unseen');
    await t.closed(client);
    t.trace.event('server', 'state', [server.isPaused], server);
    server.resume();
    await t.closed(server);
  },
  { isWaiting: true }
);

scenario(
  'K9 close() of a paused side',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await t.withRawPeer({ closeTimeout: 300 });
    ws.pause();
    ws.close(1000, 'paused');
    t.logFrames(await raw.frame());
    raw.close(1000, 'answer');
    t.trace.event(lane, 'state', [ws.isPaused], ws);
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario('K1 states in listeners of the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const socket = ws._socket;
  for (const event of ['end', 'finish', 'close']) {
    socket.on(event, () => t.trace.event(lane, `socket ${event}`, [], ws));
  }
  raw.close(1000);
  await raw.framesThrough(close);
  await raw.rest();
  raw.finish();
  await t.closed(ws);
  t.log(lane, 'socket', ws._socket === socket, socket.destroyed);
});

scenario('K1 constants', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (const ws of [server, client]) {
    t.log('both', 'constants', ws.CONNECTING, ws.OPEN, ws.CLOSING, ws.CLOSED);
  }
});

scenario('K4 end() of the raw socket', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws._socket.end();
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('K1 nothing is emitted after close', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.close();
  await t.closed(server, client);
  const socket = client._socket;
  if (!socket.closed) await once(socket, 'close');
  client.emit('message', Buffer.from('by hand'), false);
});
