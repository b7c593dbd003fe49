'use strict';

// Received compressed messages: statements R1 to R8 and P1.

const { scenario } = require('../run');
const { OPCODE, closeBody } = require('../frames');
const { digits, noise } = require('../deflate');
const { RSV1, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { continuation, text, binary, close, ping, pong } = OPCODE;

for (const type of ['nodebuffer', 'arraybuffer', 'fragments', 'blob']) {
  scenario(`R1 deflate: binaryType ${type}`, BOTH, async (t) => {
    const { peer, raw, ws, lane } = await deflating(t);
    ws.binaryType = type;
    const blobs = [];
    ws.on('message', (data) => {
      if (data instanceof Blob) blobs.push(data);
      if (data instanceof ArrayBuffer) t.log(lane, 'size', data.byteLength);
      if (Array.isArray(data)) t.log(lane, 'all', data.every(Buffer.isBuffer));
    });
    peer.send(text, 'text');
    peer.send(binary, 'binary');
    peer.send(binary, '');
    raw.write(peer.fragments(binary, ['in ', '', 'four ', 'parts']));
    raw.write(peer.fragments(binary, ['', '', '']));
    raw.write(peer.fragments(text, ['frag', 'ments']));
    raw.write(peer.fragments(binary, ['y'.repeat(100000), noise(100000), '']));
    raw.send(binary, 'plain');
    await t.emitted(ws, 'message', 8);
    for (const blob of blobs) t.log(lane, 'blob', await blob.arrayBuffer());
  });
}

scenario('R1 deflate: binaryType changed between messages', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  const types = ['arraybuffer', 'fragments', 'nodebuffer'];
  ws.on('message', () => (ws.binaryType = types.shift() ?? 'nodebuffer'));
  peer.send(binary, 'one');
  for (let i = 2; i <= 4; i++) {
    await t.emitted(ws, 'message', i - 1);
    peer.send(binary, `number ${i}`);
  }
  await t.emitted(ws, 'message', 4);
});

scenario('R2 deflate: a code point in two fragments', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  const bytes = Buffer.from('gr\u00fc\u00dfe \ud83e\udd80');
  for (let cut = 0; cut <= bytes.length; cut++) {
    raw.write(peer.fragments(text, [bytes.subarray(0, cut), bytes.subarray(cut)]));
  }
  await t.emitted(ws, 'message', bytes.length + 1);
});

/** Records the order of microtasks, ticks and immediates of listeners. */
function recordScheduling(t, ws, lane) {
  for (const event of ['message', 'ping', 'pong']) {
    ws.on(event, (data) => {
      Promise.resolve().then(() => t.log(lane, `microtask of ${event}`, String(data)));
      process.nextTick(() => t.log(lane, `tick of ${event}`, String(data)));
    });
  }
}

scenario('R3 deflate: allowSynchronousEvents false', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t, {
    options: { allowSynchronousEvents: false }
  });
  recordScheduling(t, ws, lane);
  const frames = [
    peer.make(text, '1'),
    raw.make(ping, '2'),
    peer.make(binary, '3'),
    peer.make(text, '4'),
    raw.make(text, '5'),
    peer.make(binary, '6'),
    raw.make(binary, '7'),
    raw.make(pong, '8'),
    peer.fragments(text, ['9', '', '9']),
    raw.make(close, closeBody(1000))
  ];
  raw.write(Buffer.concat(frames));
  await peer.through(close);
  raw.finish();
  await t.closed(ws);
});

scenario('R3 deflate: microtasks between compressed messages, by default', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t);
  recordScheduling(t, ws, lane);
  raw.write(Buffer.concat(['1', '2', '3', '4'].map((data) => peer.make(text, data))));
  await t.emitted(ws, 'message', 4);
  raw.send(pong, 'afterwards');
  await t.emitted(ws, 'pong');
});

scenario('R3 deflate: listeners added after open miss no message', 'client', async (t) => {
  const { raw, ws, lane } = await deflating(t, {
    after: (peer) => Buffer.concat([peer.make(text, 'with the head'), peer.make(text, 'and more')])
  });
  // More than one promise after `open`.
  await Promise.resolve();
  await Promise.resolve();
  const seen = [];
  ws.on('message', (data) => seen.push(String(data)));
  raw.send(ping, 'behind it');
  await t.emitted(ws, 'ping');
  t.log(lane, 'heard', ...seen);
});

scenario('E1 deflate: ticks and microtasks before an error', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t);
  recordScheduling(t, ws, lane);
  ws.on('error', () => t.log(lane, 'error heard'));
  raw.write(
    Buffer.concat([peer.make(text, 'good'), raw.make(text, Buffer.from([6]), { rsv: RSV1 })])
  );
  await peer.through(close);
  raw.finish();
  await t.closed(ws);
});

scenario(
  'R3 deflate: a reply is sent before the echo of a close frame in the same chunk',
  BOTH,
  async (t) => {
    const { peer, raw, ws } = await deflating(t);
    ws.on('message', (data) => {
      ws.send(`reply to ${data}`, (err) => t.log('callbacks', 'reply sent', !err));
    });
    raw.write(
      Buffer.concat([
        peer.make(text, 'one'),
        peer.make(text, 'two'),
        raw.make(close, closeBody(3000, 'bye'))
      ])
    );
    await peer.through(close);
    t.log('wire', 'rest', await raw.rest());
    raw.finish();
    await t.closed(ws);
  }
);

scenario('P1 deflate: order of replies and pongs within one chunk', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  ws.on('message', (data) => ws.send(`reply to ${data}`));
  raw.write(
    Buffer.concat([
      peer.make(text, 'one'),
      raw.make(ping, 'behind one'),
      peer.make(text, 'two'),
      raw.make(ping, 'behind two')
    ])
  );
  await peer.next(4);
});

scenario('R4 deflate: bytes after a close frame are ignored', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  raw.write(
    Buffer.concat([
      peer.make(text, 'before'),
      raw.make(close, closeBody(1000, 'bye')),
      peer.make(text, 'after'),
      raw.make(text, Buffer.from([6]), { rsv: RSV1 })
    ])
  );
  await peer.through(close);
  await raw.rest();
  raw.finish();
  await t.closed(ws);
});

scenario('R6 deflate: a delivered Buffer belongs to the listener', BOTH, async (t) => {
  const { peer, ws, lane } = await deflating(t);
  const kept = [];
  ws.on('message', (data) => {
    kept.push(data);
    data.fill(kept.length);
  });
  // Each refers back to bytes that the listener has overwritten.
  for (let round = 0; round < 6; round++) peer.send(binary, digits(400));
  peer.send(binary, 'y'.repeat(100000));
  await t.emitted(ws, 'message', 7);
  for (const data of kept) t.log(lane, 'kept', data);
});

scenario('R8 deflate: one byte at a time', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  raw.socket.setNoDelay(true);
  const bytes = Buffer.concat([
    peer.make(text, digits(100)),
    raw.make(ping, 'pi'),
    peer.fragments(binary, [digits(100), '', 'y'.repeat(1000)]),
    peer.make(text, 'last')
  ]);
  for (const byte of bytes) {
    await new Promise((resolve) => raw.socket.write(Buffer.from([byte]), resolve));
  }
  await t.emitted(ws, 'message', 3);
});

scenario('R8 deflate: a thousand small messages in one write', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  const frames = [];
  for (let i = 0; i < 1000; i++) frames.push(peer.make(i % 2 ? text : binary, `message ${i}`));
  raw.write(Buffer.concat(frames));
  await t.emitted(ws, 'message', 1000);
});

scenario('R8 deflate: messages of all sizes', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  const sizes = [0, 1, 125, 126, 4096, 16383, 16384, 16385, 32768, 65535, 65536, 100000, 1 << 20];
  for (const size of sizes) {
    peer.send(binary, noise(size));
    peer.send(text, 'y'.repeat(size));
    raw.send(binary, Buffer.alloc(size, 'plain'));
  }
  peer.send(binary, Buffer.alloc(16 << 20, 'large'));
  await t.emitted(ws, 'message', 3 * sizes.length + 1);
});

scenario('R8 deflate: control frames between compressed fragments', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  for (let i = 0; i < 10; i++) {
    const data = i % 2 ? digits(20000, String(i)) : 'y'.repeat(20000);
    raw.write(peer.make(i ? continuation : binary, data, { fin: i === 9 }));
    raw.send(i % 3 ? ping : pong, `control ${i}`);
  }
  peer.send(text, 'next');
  await t.emitted(ws, 'message', 2);
  await peer.next(6);
});

scenario('R8 deflate: compressed and uncompressed messages alternate', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  for (let i = 0; i < 5; i++) {
    peer.send(text, `compressed ${i}`);
    raw.send(text, `plain ${i}`);
    raw.send(binary, 'in plain ', { fin: false });
    raw.send(continuation, 'fragments');
    raw.write(peer.fragments(binary, ['in compressed ', 'fragments']));
  }
  await t.emitted(ws, 'message', 20);
});
