'use strict';

// Limits with permessage-deflate: inflated size (A1, E7), uncompressed messages (A23) and memory of a connection (A24).

const { scenario } = require('../run');
const { OPCODE, frame } = require('../frames');
const { Deflater, bomb, digits, noise } = require('../deflate');
const { RSV1, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { continuation, text, binary, close, ping } = OPCODE;

/** Exceeds a limit and records the close frame. */
async function expectRejection({ peer, raw, ws }, t) {
  await peer.through(close);
  raw.send(text, 'never looked at');
  raw.finish();
  await t.closed(ws);
}

/** Messages, each as a list of fragments, with a limit of 1000 bytes; the last message is too long. */
const AGAINST_1000 = [
  ['exceeded by one byte', [['y'.repeat(1000)], ['y'.repeat(1001)]]],
  ['applied to each message', [[digits(600)], [digits(600)], [digits(999), 'x', 'x']]],
  [
    'over two fragments',
    [
      ['y'.repeat(600), 'y'.repeat(400)],
      ['y'.repeat(600), 'y'.repeat(401)]
    ]
  ],
  [
    'over three fragments',
    [
      ['y'.repeat(400), '', 'y'.repeat(600)],
      ['y'.repeat(400), '', 'y'.repeat(601)]
    ]
  ],
  ['in the first of two fragments', [['y'.repeat(2000), 'y']]],
  ['exceeded by far', [['y'.repeat(900000)]]]
];

for (const [name, messages] of AGAINST_1000) {
  scenario(`E7 deflate: maxPayload, ${name}`, BOTH, async (t) => {
    for (const opcode of [text, binary]) {
      const all = await deflating(t, { options: { maxPayload: 1000 } });
      all.raw.write(Buffer.concat(messages.map((parts) => all.peer.fragments(opcode, parts))));
      await expectRejection(all, t);
    }
  });
}

scenario('E7 deflate: maxPayload without context', BOTH, async (t) => {
  const agreed = 'server_no_context_takeover; client_no_context_takeover';
  const all = await deflating(t, { agreed, options: { maxPayload: 1000 } });
  for (const length of [1000, 1000, 1001]) all.peer.send(binary, digits(length));
  await expectRejection(all, t);
});

scenario(
  'E7 deflate: maxPayload of the compressed length, from the header alone',
  BOTH,
  async (t) => {
    const all = await deflating(t, { options: { maxPayload: 1000 } });
    const { peer, raw } = all;
    peer.send(binary, 'fine');
    raw.write(frame(binary, '', { key: raw.key, rsv: RSV1, declare: 1001 }));
    await expectRejection(all, t);
  }
);

scenario('E7 deflate: maxPayload of the compressed length, over fragments', BOTH, async (t) => {
  const all = await deflating(t, { options: { maxPayload: 1000 } });
  const { peer, raw } = all;
  // Noise grows when it is compressed: the compressed bytes exceed the limit, the inflated ones do not.
  raw.write(peer.make(binary, noise(500), { fin: false }));
  raw.write(frame(continuation, '', { key: raw.key, declare: 600 }));
  await expectRejection(all, t);
});

scenario('E7 deflate: a message that is too long only when compressed', BOTH, async (t) => {
  const all = await deflating(t, { options: { maxPayload: 1000 } });
  all.peer.send(binary, 'y'.repeat(1000));
  all.peer.send(binary, noise(1000));
  await expectRejection(all, t);
});

scenario('E7 deflate: maxPayload does not apply to sent messages', BOTH, async (t) => {
  const { peer, ws } = await deflating(t, { options: { maxPayload: 10 } });
  ws.send(digits(2000));
  await peer.next();
  peer.send(text, 'y'.repeat(10));
  await t.emitted(ws, 'message');
});

scenario('E7 deflate: values of maxPayload that mean no limit', BOTH, async (t) => {
  for (const maxPayload of [0, -1, 2 ** 32, NaN]) {
    const { peer, ws } = await deflating(t, { options: { maxPayload } });
    peer.send(binary, Buffer.alloc(4 << 20, 'no limit'));
    await t.emitted(ws, 'message');
  }
});

scenario('E7 deflate: the limit is exceeded before a later error', BOTH, async (t) => {
  const all = await deflating(t, { options: { maxPayload: 1000 } });
  const bytes = Buffer.concat([new Deflater().part('y'.repeat(900000), false), Buffer.from([6])]);
  all.raw.send(binary, bytes, { rsv: RSV1 });
  await expectRejection(all, t);
});

scenario('E7 deflate: the limit and an error right after it', BOTH, async (t) => {
  const all = await deflating(t, { options: { maxPayload: 1000 } });
  const bytes = Buffer.concat([new Deflater().part('y'.repeat(2000), false), Buffer.from([6])]);
  all.raw.send(binary, bytes, { rsv: RSV1 });
  await expectRejection(all, t);
});

scenario('E7 deflate: the limit and a final block', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t, { options: { maxPayload: 8 } });
  raw.send(text, Buffer.from('f348cdc9c9070000', 'hex'), { rsv: RSV1 });
  await t.emitted(ws, 'message');
  raw.send(text, new Deflater().part('y'.repeat(9)), { rsv: RSV1 });
  await expectRejection({ peer, raw, ws }, t);
});

scenario('A1 deflate: a bomb with a ratio of 1000', BOTH, async (t) => {
  const all = await deflating(t, { options: { maxPayload: 1 << 20 } });
  all.raw.send(binary, bomb(200), { rsv: RSV1 });
  await expectRejection(all, t);
});

scenario('A1 deflate: a bomb in fragments, with pings in between', BOTH, async (t) => {
  const all = await deflating(t, { options: { maxPayload: 1 << 20 } });
  const { raw, ws } = all;
  const bytes = bomb(100);
  const size = Math.ceil(bytes.length / 10);
  for (let i = 0; i < 10; i++) {
    const part = bytes.subarray(i * size, (i + 1) * size);
    raw.send(i ? continuation : text, part, { rsv: i ? 0 : RSV1, fin: i === 9 });
    if (i === 0) await t.emitted(ws, 'error');
    raw.send(ping, 'not answered');
  }
  await expectRejection(all, t);
});

scenario('A1 deflate: the limit by default', BOTH, async (t) => {
  const all = await deflating(t);
  all.raw.send(binary, bomb(101), { rsv: RSV1 });
  await expectRejection(all, t);
});

/** Records the output of a child process. */
async function child(t, mode) {
  const { finished } = t.child('deflate-memory.js', t.serverSubject, { MODE: mode });
  const { code, output } = await finished;
  t.log('process', 'exit', code);
  for (const line of output) t.trace.line('process', line);
}

scenario('A1 deflate: bombs take no memory beyond the limit', 'api', (t) => child(t, 'bombs'), {
  isWaiting: true
});

scenario('A23 deflate: compress false is honored', BOTH, async (t) => {
  const { peer, ws } = await deflating(t, { deflate: { threshold: 0 } });
  const secret = digits(400, 'secret');
  ws.send(`guess: ${secret}`);
  const attempts = [secret, Buffer.from(secret), new Blob([secret])];
  for (const data of attempts) ws.send(data, { compress: false });
  ws.send(secret.slice(0, 200), { compress: false, fin: false });
  ws.send(secret.slice(200), { compress: true });
  const frames = await peer.next(1 + attempts.length + 2);
  for (const { payload } of frames.slice(1)) t.log('wire', 'length', payload.length);
});

scenario('A23 deflate: uncompressed messages are not context', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  const secret = digits(400, 'secret');
  ws.send(secret, { compress: false });
  ws.send(secret);
  ws.send(secret);
  const [, first, second] = await peer.next(3);
  t.log('wire', 'first', first.payload.length > 150, 'second', second.payload.length < 50);
});

scenario('A24 deflate: a server can force small windows and no context', 'pair', async (t) => {
  const { server, client } = await t.pair({
    server: {
      perMessageDeflate: {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: 9,
        clientMaxWindowBits: 9,
        zlibDeflateOptions: { memLevel: 1 }
      }
    },
    client: { perMessageDeflate: true }
  });
  for (const data of [digits(3000), 'y'.repeat(100000), digits(3000)]) {
    server.send(data);
    client.send(data);
  }
  await t.emitted(server, 'message', 3);
  await t.emitted(client, 'message', 3);
});

scenario(
  'A24 deflate: closed connections hold no memory of zlib',
  'api',
  (t) => {
    return child(t, 'closed');
  },
  { isWaiting: true }
);
