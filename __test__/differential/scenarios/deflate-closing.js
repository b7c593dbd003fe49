'use strict';

// The closing handshake and FIN while messages are compressed or inflated: statements K4 to K6.

const { scenario } = require('../run');
const { OPCODE, closeBody } = require('../frames');
const { digits, noise } = require('../deflate');
const { RSV1, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { text, binary, close, ping } = OPCODE;

/** Small on the wire, and slow to inflate. */
const LARGE = Buffer.alloc(8 << 20, 'large ');

/** Records messages and pings without the state: a FIN may be processed before or after an earlier message is inflated. */
function recordWithoutState(t, ws, lane) {
  for (const event of ['message', 'ping']) {
    ws.removeAllListeners(event);
    ws.on(event, (...args) => t.log(lane, event, ...args));
  }
}

scenario('K5 deflate: a large message and a close frame at once', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  raw.write(Buffer.concat([peer.make(binary, LARGE), raw.make(close, closeBody(3000, 'bye'))]));
  await peer.through(close);
  raw.finish();
  await t.closed(ws);
});

/** The bytes before FIN, in the same segment. */
const BEFORE_FIN = [
  ['a large message', (peer) => [peer.make(binary, LARGE)]],
  ['small messages', (peer) => ['one', 'two'].map((data) => peer.make(text, data))],
  // The close frame may or may not be answered, depending on time.
  [
    'a large message and a close frame',
    (peer, raw) => [peer.make(text, LARGE), raw.make(close, closeBody(3000, 'bye'))]
  ],
  [
    'a message and half of one',
    (peer) => [peer.make(text, 'whole'), peer.make(text, digits(1000)).subarray(0, 300)]
  ],
  ['half of the fragments', (peer) => [peer.make(text, LARGE, { fin: false })]],
  [
    'a broken message',
    (peer, raw) => [peer.make(text, LARGE), raw.make(text, Buffer.from([6]), { rsv: RSV1 })]
  ],
  [
    'messages and pings of all kinds',
    (peer, raw) =>
      Array.from({ length: 20 }, (_, i) => [
        peer.make(text, digits(i * 500, String(i))),
        raw.make(ping, String(i)),
        raw.make(binary, `plain ${i}`),
        peer.make(binary, LARGE.subarray(0, i * 50000))
      ]).flat()
  ]
];

for (const [name, make] of BEFORE_FIN) {
  scenario(`K5 deflate: ${name}, and FIN at once`, BOTH, async (t) => {
    const { peer, raw, ws, lane } = await deflating(t, { options: { autoPong: false } });
    recordWithoutState(t, ws, lane);
    raw.write(Buffer.concat(make(peer, raw)));
    raw.finish();
    await t.closed(ws);
  });
}

scenario(
  'K5 deflate: large messages that cannot be compressed, then a close frame',
  BOTH,
  async (t) => {
    const { peer, raw, ws } = await deflating(t);
    for (let i = 0; i < 4; i++) peer.send(binary, noise(300000, String(i)));
    raw.close(1000, 'done');
    await peer.through(close);
    raw.finish();
    await t.closed(ws);
  }
);

scenario('K5 deflate: large data in both directions, then close', 'pair', async (t) => {
  const deflate = { perMessageDeflate: true };
  const { server, client } = await t.pair({ server: deflate, client: deflate });
  for (let i = 0; i < 10; i++) {
    client.send(noise(100000, String(i)));
    server.send(`${i}`.repeat(300000));
  }
  server.close(1000, 'done');
  await t.closed(server, client);
});

scenario('K4 deflate: close() while a large message is compressed', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t);
  ws.send(LARGE, (err) => t.log('callbacks', 'sent', !err));
  ws.send('small', (err) => t.log('callbacks', 'sent', !err));
  ws.close(3000, 'behind it');
  t.trace.event(lane, 'closing', [], ws);
  ws.send('too late', (err) => t.log('late', 'sent', err));
  await peer.through(close);
  raw.close(3001, 'answer');
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario(
  'K4 deflate: a close frame arrives while a large message is compressed',
  BOTH,
  async (t) => {
    const { peer, raw, ws } = await deflating(t);
    ws.send(LARGE, (err) => t.log('callbacks', 'sent', !err));
    ws.send('small', (err) => t.log('callbacks', 'sent', !err));
    raw.close(3001, 'from the peer');
    await peer.through(close);
    raw.finish();
    await t.closed(ws);
  }
);

scenario('K4 deflate: both ends close while they compress', 'pair', async (t) => {
  const deflate = { perMessageDeflate: true };
  const { server, client } = await t.pair({ server: deflate, client: deflate });
  server.send(LARGE);
  client.send(LARGE);
  server.close(3001, 'from the server');
  client.close(3002, 'from the client');
  await t.closed(server, client);
});

scenario('K6 deflate: messages after close() are still delivered', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  ws.close(1000);
  await peer.through(close);
  peer.send(text, 'late');
  raw.write(peer.fragments(binary, ['late ', 'fragments']));
  peer.send(binary, LARGE);
  raw.close(1000);
  await raw.rest();
  raw.finish();
  await t.closed(ws);
});
