'use strict';

// Context takeover between messages: statement Z3.

const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { Deflater, digits } = require('../deflate');
const { RSV1, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { text, binary, close, pong } = OPCODE;

/** The sides without context takeover. */
const TAKEOVERS = [
  ['with takeover', ''],
  ['without server takeover', 'server_no_context_takeover'],
  ['without client takeover', 'client_no_context_takeover'],
  ['without takeover', 'server_no_context_takeover; client_no_context_takeover']
];

for (const [name, agreed] of TAKEOVERS) {
  scenario(`Z3 deflate: context of sent messages, ${name}`, BOTH, async (t) => {
    const { peer, ws } = await deflating(t, { agreed, deflate: { threshold: 0 } });
    const data = digits(600);
    for (let i = 0; i < 3; i++) ws.send(data);
    const [first, ...others] = await peer.next(3);
    for (const { payload } of others)
      t.log('wire', 'shorter', payload.length < first.payload.length / 2);
    ws.send(data.slice(0, 300), { fin: false });
    ws.send(data.slice(300), { fin: false });
    ws.send(data);
    // Within a message the context is always kept.
    const [one, two, three] = await peer.next(3);
    t.log('wire', 'fragments', three.payload.length < first.payload.length / 2);
    const all = one.payload.length + two.payload.length;
    t.log('wire', 'first fragments', all < first.payload.length / 2);
  });

  scenario(`Z3 deflate: context of received messages, ${name}`, BOTH, async (t) => {
    const { peer, raw, ws } = await deflating(t, { agreed });
    const data = digits(600);
    for (let i = 0; i < 3; i++) {
      peer.send(text, data);
      raw.send(pong, 'between');
      raw.send(binary, data);
      raw.write(peer.fragments(binary, [data, 'other', data]));
    }
    await t.emitted(ws, 'message', 9);
  });
}

scenario('Z3 deflate: a reference to discarded context', BOTH, async (t) => {
  const mine = t.kind === 'server' ? 'client' : 'server';
  const { raw, ws } = await deflating(t, { agreed: `${mine}_no_context_takeover` });
  const deflater = new Deflater();
  for (let i = 0; i < 2; i++) raw.send(text, deflater.part(digits(50)), { rsv: RSV1 });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('Z3 deflate: a reference to uncompressed messages', BOTH, async (t) => {
  const { raw, ws } = await deflating(t);
  const deflater = new Deflater();
  deflater.part(digits(50));
  raw.send(text, digits(50));
  raw.send(text, deflater.part(digits(50)), { rsv: RSV1 });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('Z3 deflate: a server keeps one context for each connection', 'pair', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  const pairs = [];
  for (let i = 0; i < 3; i++) {
    const client = t.openClient(t.url(wss), undefined, { perMessageDeflate: true });
    const { server } = await t.accepted(wss);
    await t.opened(client);
    pairs.push({ client, server });
  }
  for (let round = 0; round < 3; round++) {
    for (const [i, { client, server }] of pairs.entries()) {
      server.send(digits(100, `server ${i}`));
      client.send(digits(100, `client ${i} ${round}`));
    }
    for (const { server } of pairs) server.send('to all of them');
  }
  for (const { client, server } of pairs) {
    await t.emitted(client, 'message', 6);
    await t.emitted(server, 'message', 3);
  }
});
