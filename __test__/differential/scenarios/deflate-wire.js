'use strict';

// permessage-deflate on the wire (statements Z1 and Z2): sent messages, and valid forms of received ones.

const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { TRAILER, Deflater, digits, noise } = require('../deflate');
const { RSV1, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { continuation, text, binary, close, ping } = OPCODE;

scenario('Z1 deflate: messages are compressed, and end without the trailer', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  ws.send('Hello');
  ws.send('gr\u00fc\u00dfe \ud83e\udd80', { binary: true });
  ws.send(Buffer.from('bytes'));
  ws.send(Buffer.from('text'), { binary: false });
  ws.send(new Uint8Array([1, 2, 3]).subarray(1));
  ws.send(new Uint16Array([0x0102]).buffer);
  ws.send(12.5);
  ws.send([1, 2, 257]);
  ws.send('y'.repeat(100000));
  ws.send(noise(100000));
  ws.send(new Blob(['from a ', 'blob']));
  ws.close(1000);
  const messages = (await peer.through(close)).slice(0, -1);
  const whole = messages.some(({ payload }) => payload.subarray(-4).equals(TRAILER));
  t.log('wire', 'trailer', whole);
});

scenario('Z1 deflate: an empty message is one byte', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  ws.send('');
  ws.send(Buffer.alloc(0));
  ws.send('not empty');
  ws.send('');
  ws.send(undefined);
  ws.send(new Blob([]));
  ws.close(1000);
  for (const { payload } of (await peer.through(close)).slice(0, -1)) {
    if (payload.length === 1) t.log('wire', 'payload', payload);
  }
});

scenario('Z1 deflate: pings, pongs and close frames are not compressed', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  ws.ping('ping '.repeat(20));
  ws.pong('pong '.repeat(20));
  raw.send(ping, 'answered '.repeat(10));
  await t.emitted(ws, 'ping');
  ws.close(1000, 'reason '.repeat(10));
  await peer.through(close);
});

/** Payloads that mean "Hello" (RFC 7692, section 7.2.3, and others); the ends of fragments are marked. */
const HELLO = [
  ['one block', 'f248cdc9c90700'],
  ['two fragments', 'f248cd|c9c90700'],
  ['a fragment a byte', 'f2|48|cd|c9|c9|07|00'],
  ['no compression', '000500faff48656c6c6f00'],
  ['no compression, in fragments', '000500faff48|656c6c6f|00'],
  ['two blocks', 'f24805000000ffffcac9c90700'],
  ['with the trailer', 'f248cdc9c907000000ffff00'],
  ['empty fragments around it', '|f248cdc9|c90700|'],
  ['empty blocks around it', '000000ffff|f248cdc9c907000000ffff|000000ffff|00']
];

for (const [name, payloads] of HELLO) {
  scenario(`Z1 deflate: a message received as ${name}`, BOTH, async (t) => {
    const { raw, ws } = await deflating(t);
    for (const opcode of [text, binary]) {
      const parts = payloads.split('|');
      parts.forEach((hex, i) => {
        const options = { fin: i === parts.length - 1, rsv: i ? 0 : RSV1 };
        raw.send(i ? continuation : opcode, Buffer.from(hex, 'hex'), options);
      });
    }
    await t.emitted(ws, 'message', 2);
  });
}

scenario('Z1 deflate: empty messages received', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  for (const hex of ['00', '0200', '000000ffff00']) {
    for (const opcode of [text, binary]) raw.send(opcode, Buffer.from(hex, 'hex'), { rsv: RSV1 });
  }
  raw.write(peer.fragments(text, ['', '', '']));
  peer.send(text, 'last');
  await t.emitted(ws, 'message', 8);
});

scenario('Z1 deflate: payloads of zero bytes', BOTH, async (t) => {
  const { raw, ws } = await deflating(t);
  // The implied trailer completes a stored block: its header in the first payload, its beginning in the second.
  for (let i = 0; i < 3; i++) raw.send(binary, '', { rsv: RSV1 });
  raw.send(text, 'plain');
  raw.send(binary, 'as it is', { rsv: RSV1 });
  await t.emitted(ws, 'message', 5);
});

scenario('Z1 deflate: every level, strategy and window of the peer', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  const data = digits(2000) + 'a'.repeat(3000) + digits(2000);
  let count = 0;
  for (let level = 0; level <= 9; level++, count++) peer.send(text, data, { zlib: { level } });
  for (let strategy = 0; strategy <= 4; strategy++, count++)
    peer.send(text, data, { zlib: { strategy } });
  for (let windowBits = 9; windowBits <= 15; windowBits++, count++)
    peer.send(text, data, { zlib: { windowBits } });
  for (let memLevel = 1; memLevel <= 9; memLevel++, count++)
    peer.send(text, data, { zlib: { memLevel } });
  await t.emitted(ws, 'message', count);
});

scenario('Z1 deflate: frames in the segment of the handshake', BOTH, async (t) => {
  const { peer, ws } = await deflating(t, {
    after: (one) => Buffer.concat([one.make(text, 'one'), one.make(binary, digits(500))])
  });
  await t.emitted(ws, 'message', 2);
  ws.send('answer');
  await peer.next();
});

/** "Hello" in a final block. */
const FINAL = 'f348cdc9c9070000';

scenario('Z2 deflate: a message after a final block starts a new stream', BOTH, async (t) => {
  const { raw, ws } = await deflating(t);
  for (let i = 0; i < 3; i++) {
    raw.send(text, Buffer.from(FINAL, 'hex'), { rsv: RSV1 });
    raw.send(text, new Deflater().part(`message ${i}`), { rsv: RSV1 });
  }
  await t.emitted(ws, 'message', 6);
});

scenario('Z2 deflate: bytes after a final block are dropped', BOTH, async (t) => {
  const { raw, ws } = await deflating(t);
  for (const behind of ['ffffffff', 'f248cdc9c90700', '06', '00'.repeat(40)]) {
    raw.send(text, Buffer.from(FINAL + behind, 'hex'), { rsv: RSV1 });
  }
  raw.send(text, 'plain');
  await t.emitted(ws, 'message', 5);
});

scenario('Z2 deflate: a final block discards the context', BOTH, async (t) => {
  const { raw, ws } = await deflating(t);
  raw.send(text, Buffer.from(FINAL, 'hex'), { rsv: RSV1 });
  raw.send(text, Buffer.from('f200110000', 'hex'), { rsv: RSV1 });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

for (const [name, parts] of [
  ['the first fragment', [FINAL, 'f248cdc9c90700']],
  ['the last fragment', ['f248cdc9c907000000ffff', FINAL]],
  ['every fragment', [FINAL, FINAL, FINAL]]
]) {
  scenario(`Z2 deflate: a final block in ${name}`, BOTH, async (t) => {
    const { raw, ws } = await deflating(t);
    for (let round = 0; round < 2; round++) {
      parts.forEach((hex, i) => {
        const options = { fin: i === parts.length - 1, rsv: i ? 0 : RSV1 };
        raw.send(i ? continuation : text, Buffer.from(hex, 'hex'), options);
      });
    }
    await t.emitted(ws, 'message', 2);
  });
}

scenario('Z2 deflate: a final block before an empty fragment', BOTH, async (t) => {
  const { raw, ws } = await deflating(t);
  raw.send(text, Buffer.from(FINAL, 'hex'), { rsv: RSV1, fin: false });
  raw.send(continuation, '');
  // The empty fragment has left the header of a stored block.
  raw.send(text, new Deflater().part('next'), { rsv: RSV1 });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});
