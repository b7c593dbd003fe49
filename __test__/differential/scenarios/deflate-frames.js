'use strict';

// Invalid frames with and without permessage-deflate: statements E1 and A3.

const { scenario } = require('../run');
const { OPCODE, closeBody } = require('../frames');
const { RSV1, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { continuation, text, binary, close, ping, pong } = OPCODE;

/** Frames that are invalid with the extension, too: arguments of RawPeer.make; the payload is a valid compressed "Hello". */
const HELLO = Buffer.from('f248cdc9c90700', 'hex');
const FIRST = Buffer.from('f248cdc9c907000000ffff', 'hex');
const BROKEN = [
  ['RSV1 on a continuation', [continuation, HELLO, { rsv: RSV1 }], true],
  ['RSV1 on a continuation without a start', [continuation, HELLO, { rsv: RSV1 }]],
  ['RSV1 on a ping', [ping, HELLO, { rsv: RSV1 }]],
  ['RSV1 on a pong between fragments', [pong, '', { rsv: RSV1 }], true],
  ['RSV1 on a close frame', [close, closeBody(1000), { rsv: RSV1 }]],
  ['RSV1 on a reserved opcode', [3, HELLO, { rsv: RSV1 }]],
  ['RSV1 and FIN on a ping', [ping, HELLO, { rsv: RSV1, fin: false }]],
  ['RSV2', [text, HELLO, { rsv: 2 }]],
  ['RSV1 and RSV3', [text, HELLO, { rsv: 5 }]],
  ['text between fragments', [text, HELLO, { rsv: RSV1 }], true],
  ['an uncompressed continuation without a start', [continuation, HELLO]]
];

for (const [name, args, amid] of BROKEN) {
  scenario(`E1 deflate: ${name}`, BOTH, async (t) => {
    const { peer, raw, ws } = await deflating(t);
    const before = amid ? raw.make(binary, FIRST, { rsv: RSV1, fin: false }) : '';
    raw.write(Buffer.concat([peer.make(text, 'before'), Buffer.from(before), raw.make(...args)]));
    await peer.through(close);
    raw.finish();
    await t.closed(ws);
  });
}

scenario('E1 deflate: RSV1 after a declined offer', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, undefined, { perMessageDeflate: true });
  const raw = await listening.next();
  raw.accept(await raw.head());
  raw.send(text, HELLO, { rsv: RSV1 });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('E1 deflate: RSV1 without an offer', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  const { raw } = await t.request(wss);
  const { server } = await t.accepted(wss);
  raw.send(text, HELLO, { rsv: RSV1 });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(server);
});

scenario('A3 deflate: compressed fragments count, including empty ones', BOTH, async (t) => {
  for (const parts of [
    ['a', '', 'b'],
    ['a', '', '', 'b']
  ]) {
    const { peer, raw, ws } = await deflating(t, { options: { maxFragments: 3 } });
    peer.send(text, 'whole');
    raw.write(peer.fragments(text, parts));
    await Promise.race([t.emitted(ws, 'message', 2), t.emitted(ws, 'error')]);
    if (parts.length === 3) continue;
    await peer.through(close);
    raw.finish();
    await t.closed(ws);
  }
});
