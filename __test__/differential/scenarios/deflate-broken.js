'use strict';

// Invalid compressed data: the reported error (text, code and number of zlib), the close frame, and their time. Statements E1,
// E2, and R2 for inflated text that is not UTF-8.

const { scenario } = require('../run');
const { OPCODE, closeBody } = require('../frames');
const { Deflater, digits } = require('../deflate');
const { NAME, RSV1, agreement, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { continuation, text, binary, close, ping } = OPCODE;

/** Errors of an inflater, and data that cause them; all are the beginning of a message. */
const BROKEN = [
  ['invalid block type', '06'],
  ['invalid stored block lengths', '00050000000102030405'],
  ['too many length or distance symbols', 'fce00100000000000000'],
  ['invalid code lengths set', '04e09324499224499200'],
  ['invalid bit length repeat', '04e08300000000000000'],
  ['invalid code -- missing end-of-block', '04e081000000000010fc6f03'],
  ['invalid literal/lengths set', '04e081000000000010fc4f03'],
  ['invalid distances set', '04e281000000000010fc5703'],
  ['invalid literal/length code', '4a1c03'],
  ['invalid distance code', '4a043e'],
  ['invalid distance too far back', '4a047200']
];

/** Causes an error at the library under test and records all of its properties. */
async function expectError({ peer, raw, ws, lane }, t, bytes) {
  ws.on('error', (err) => {
    t.log(lane, 'fields', err.errno, err.code, err.constructor === Error, Object.keys(err));
  });
  raw.write(bytes);
  await peer.through(close);
  raw.send(text, 'never looked at');
  raw.close(1000);
  raw.finish();
  await t.closed(ws);
}

const hex = (digitsOf) => Buffer.from(digitsOf, 'hex');

for (const [message, data] of BROKEN) {
  scenario(`E1 deflate: ${message}`, BOTH, async (t) => {
    // In the only frame, in the first, in the middle and in the last one; the error does not wait for later frames.
    for (const place of ['only', 'first', 'middle', 'last']) {
      const all = await deflating(t);
      const { peer, raw } = all;
      t.log(all.lane, 'place', place);
      const frames = [peer.make(text, 'good')];
      if (place === 'middle' || place === 'last') {
        frames.push(peer.make(binary, 'one', { fin: false }));
        frames.push(raw.make(ping, 'between'));
      }
      const fin = place === 'only' || place === 'last';
      const isFirst = place === 'only' || place === 'first';
      // Earlier messages do not help a distance that exceeds their total length.
      const bad = message.endsWith('too far back') ? new Deflater() : null;
      bad?.part(digits(500));
      frames.push(
        raw.make(isFirst ? binary : continuation, bad ? bad.part(digits(500), fin) : hex(data), {
          fin,
          rsv: isFirst ? RSV1 : 0
        })
      );
      await expectError(all, t, Buffer.concat(frames));
    }
  });
}

scenario('E1 deflate: a distance too far back in the first message', BOTH, async (t) => {
  const all = await deflating(t);
  await expectError(all, t, all.raw.make(text, hex('4a047200'), { rsv: RSV1 }));
});

scenario('E1 deflate: output before an error is discarded', BOTH, async (t) => {
  const all = await deflating(t);
  const good = new Deflater().part('y'.repeat(100000), false);
  const bytes = Buffer.concat([good, hex('06')]);
  await expectError(all, t, all.raw.make(text, bytes, { rsv: RSV1 }));
});

scenario('E1 deflate: messages before an error are delivered', BOTH, async (t) => {
  const all = await deflating(t);
  const { peer, raw, ws } = all;
  ws.on('message', (data) => ws.send(`reply to ${data}`));
  await expectError(
    all,
    t,
    Buffer.concat([
      peer.make(text, 'one'),
      raw.make(text, 'two'),
      peer.fragments(binary, ['thr', 'ee']),
      raw.make(text, hex('06'), { rsv: RSV1 }),
      peer.make(text, 'lost'),
      raw.make(close, closeBody(1000))
    ])
  );
});

scenario('E1 deflate: without context of the peer', BOTH, async (t) => {
  const agreed = 'server_no_context_takeover; client_no_context_takeover';
  const all = await deflating(t, { agreed });
  await expectError(all, t, all.raw.make(text, hex('06'), { rsv: RSV1 }));
});

scenario('E1 deflate: send and close in an error listener', BOTH, async (t) => {
  const all = await deflating(t);
  const { ws, lane } = all;
  ws.on('error', () => {
    ws.send('late', (err) => t.log('callbacks', 'send', err));
    t.attempt(lane, 'close', () => ws.close(1000));
    t.trace.event(lane, 'state', agreement(ws), ws);
  });
  await expectError(all, t, all.raw.make(text, hex('06'), { rsv: RSV1 }));
});

scenario('E1 deflate: terminate in an error listener', BOTH, async (t) => {
  const { raw, ws } = await deflating(t);
  ws.on('error', () => ws.terminate());
  raw.send(text, hex('06'), { rsv: RSV1 });
  await t.closed(ws);
});

scenario('E1 deflate: an error while large messages are sent', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  ws.send('y'.repeat(2 << 20), (err) => t.log('callbacks', 'sent', !err));
  ws.send(digits(500000), (err) => t.log('callbacks', 'sent', !err));
  raw.send(text, hex('06'), { rsv: RSV1 });
  await peer.through(close);
  raw.finish();
  await t.closed(ws);
});

/** Truncated messages: their output, and the next message. */
const CUT = [
  ['in a block with fixed codes', 'f248cdc9'],
  ['in a length', 'f24805'],
  ['in the head of a stored block', '0005'],
  ['in a stored block', '000500faff4865'],
  ['in the head of a dynamic block', '04e081'],
  ['in the code lengths of a dynamic block', '04e081000000000010fc'],
  ['after a whole empty byte', '0000']
];

for (const [name, data] of CUT) {
  scenario(`E1 deflate: a message truncated ${name}`, BOTH, async (t) => {
    const { peer, raw, ws } = await deflating(t);
    peer.send(text, 'before');
    raw.send(binary, hex(data), { rsv: RSV1 });
    // Enough messages that one is rejected: it takes the missing bytes from the next one.
    for (let i = 0; i < 3; i++) peer.send(binary, 'z'.repeat(70000));
    raw.send(binary, Buffer.alloc(70000, 0xff), { rsv: RSV1 });
    raw.send(text, 'plain');
    raw.close(1000);
    await peer.through(close);
    raw.finish();
    await t.closed(ws);
  });
}

scenario('E1 deflate: a message truncated without context', BOTH, async (t) => {
  const agreed = 'server_no_context_takeover; client_no_context_takeover';
  const { peer, raw, ws } = await deflating(t, { agreed });
  for (const [, data] of [CUT[1], CUT[3], CUT[4]]) {
    raw.send(binary, hex(data), { rsv: RSV1 });
    peer.send(text, 'next');
  }
  raw.close(1000);
  await peer.through(close);
  raw.finish();
  await t.closed(ws);
});

/** Bytes that are not UTF-8. */
const NOT_UTF8 = ['80', '61e282', 'c0af', 'eda080', 'f4908080', 'ff'];

scenario('R2 deflate: compressed text that is not UTF-8', BOTH, async (t) => {
  for (const [i, data] of NOT_UTF8.entries()) {
    const all = await deflating(t);
    const { peer } = all;
    const bytes = hex(data);
    const frames = [
      peer.make(binary, bytes),
      i % 2 ? peer.make(text, bytes) : peer.fragments(text, ['fine ', bytes, '']),
      peer.make(text, 'lost')
    ];
    await expectError(all, t, Buffer.concat(frames));
  }
});

scenario('R2 deflate: an invalid first fragment', BOTH, async (t) => {
  const all = await deflating(t);
  const { peer } = all;
  peer.send(text, hex('ff'), { fin: false });
  await expectError(all, t, peer.make(continuation, 'end'));
});

scenario('R2 deflate: time of the error of an invalid first fragment', BOTH, async (t) => {
  const all = await deflating(t);
  const { peer, raw } = all;
  peer.send(text, hex('ff'), { fin: false });
  raw.send(ping, 'before the end');
  await expectError(all, t, peer.make(continuation, 'end'));
});

scenario('R2 deflate: skipUTF8Validation', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t, { options: { skipUTF8Validation: true } });
  for (const data of NOT_UTF8) {
    peer.send(text, hex(data));
    raw.write(peer.fragments(text, [hex(data), hex(data)]));
  }
  await t.emitted(ws, 'message', 2 * NOT_UTF8.length);
});

scenario('E2 deflate: an error of one connection does not affect others', 'server', async (t) => {
  const wss = await t.listen({ perMessageDeflate: true });
  const peers = [];
  for (let i = 0; i < 3; i++) {
    const headers = { 'Sec-WebSocket-Extensions': NAME };
    const raw = await t.sendRequest(wss, { headers });
    await raw.head();
    peers.push({ raw, deflater: new Deflater(), ws: (await t.accepted(wss)).server });
  }
  const say = ({ raw, deflater }, data) => raw.send(text, deflater.part(data), { rsv: RSV1 });
  for (const one of peers) say(one, digits(300));
  peers[1].raw.send(text, hex('06'), { rsv: RSV1 });
  await peers[1].raw.framesThrough(close);
  peers[1].raw.finish();
  await t.closed(peers[1].ws);
  for (const one of [peers[0], peers[2]]) {
    say(one, digits(300));
    await t.emitted(one.ws, 'message', 2);
  }
});
