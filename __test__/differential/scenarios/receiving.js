'use strict';

// Received messages and their delivery: statements R1 to R9, and frames split in every way.

const { scenario } = require('../run');
const { OPCODE, closeBody } = require('../frames');

const BOTH = ['server', 'client'];
const { text, binary, continuation, ping, pong, close } = OPCODE;

for (const type of ['nodebuffer', 'arraybuffer', 'fragments', 'blob', 'nonsense']) {
  scenario(`R1 binaryType ${type}`, BOTH, async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    ws.binaryType = type;
    t.log(lane, 'binaryType', ws.binaryType);
    const blobs = [];
    ws.on('message', (data) => {
      if (data instanceof Blob) blobs.push(data);
      if (data instanceof ArrayBuffer) t.log(lane, 'size', data.byteLength);
      if (Array.isArray(data))
        t.log(
          lane,
          'parts',
          data.every((part) => Buffer.isBuffer(part))
        );
    });
    raw.send(text, 'text');
    raw.send(binary, 'binary');
    raw.send(binary, '');
    raw.send(binary, 'in ', { fin: false });
    raw.send(continuation, '', { fin: false });
    raw.send(continuation, 'three ', { fin: false });
    raw.send(continuation, 'parts');
    raw.send(text, 'frag', { fin: false });
    raw.send(continuation, 'ments');
    raw.send(binary, Buffer.alloc(300000, 'large'));
    await t.emitted(ws, 'message', 6);
    for (const blob of blobs) t.log(lane, 'blob', await blob.arrayBuffer());
  });
}

scenario('R1 binaryType changed in a listener applies to the next message', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const types = ['arraybuffer', 'fragments', 'blob', 'nodebuffer'];
  ws.on('message', () => (ws.binaryType = types.shift() ?? 'nodebuffer'));
  raw.write(Buffer.concat([1, 2, 3, 4, 5].map((n) => raw.make(binary, `message ${n}`))));
  await t.emitted(ws, 'message', 5);
});

scenario('R2 UTF-8 may be split anywhere', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const bytes = Buffer.from('κόσμε🦀');
  for (let cut = 0; cut <= bytes.length; cut++) {
    raw.send(text, bytes.subarray(0, cut), { fin: false });
    raw.send(ping, String(cut));
    raw.send(continuation, bytes.subarray(cut));
  }
  await t.emitted(ws, 'message', bytes.length + 1);
});

/** Bytes that are not UTF-8: in a text or in the reason of a close frame. */
const NOT_UTF8 = [
  ['a lone continuation byte', [0x80]],
  ['a truncated sequence', [0x61, 0xe2, 0x82]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ['0xff', [0xff]]
];

scenario('R2 skipUTF8Validation', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ skipUTF8Validation: true });
  for (const [, bytes] of NOT_UTF8) raw.send(text, Buffer.from(bytes));
  raw.close(1000, Buffer.from([0xff, 0xfe]));
  await raw.framesThrough(close);
  raw.finish();
  await t.closed(ws);
});

for (const [name, bytes] of NOT_UTF8) {
  scenario(`R2 invalid UTF-8, ${name}`, BOTH, async (t) => {
    const { raw, ws } = await t.withRawPeer();
    raw.send(text, 'fine');
    raw.send(text, Buffer.from(bytes), { fin: false });
    raw.send(continuation, '');
    raw.send(text, 'never seen');
    t.logFrames(...(await raw.framesThrough(close)));
    raw.finish();
    await t.closed(ws);
  });
}

scenario('R2 time of the error of an invalid text', BOTH, async (t) => {
  for (const [, bytes] of NOT_UTF8) {
    const { raw, ws } = await t.withRawPeer();
    raw.send(text, Buffer.from(bytes), { fin: false });
    raw.send(ping, 'before the end');
    raw.send(continuation, '');
    t.logFrames(...(await raw.framesThrough(close)));
    raw.finish();
    await t.closed(ws);
  }
});

scenario('R3 all messages of a chunk, then microtasks', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.on('message', (data) => {
    Promise.resolve().then(() => t.log(lane, 'microtask', String(data)));
    process.nextTick(() => t.log(lane, 'tick', String(data)));
  });
  raw.write(Buffer.concat(['1', '2', '3', '4'].map((data) => raw.make(text, data))));
  await t.emitted(ws, 'message', 4);
  raw.send(ping, 'afterwards');
  await t.emitted(ws, 'ping');
});

scenario('R3 allowSynchronousEvents false: microtasks between messages', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer({ allowSynchronousEvents: false });
  const later = (event) => (data) => {
    Promise.resolve().then(() => t.log(lane, `microtask of ${event}`, String(data)));
    process.nextTick(() => t.log(lane, `tick of ${event}`, String(data)));
  };
  for (const event of ['message', 'ping', 'pong']) ws.on(event, later(event));
  const frames = [
    raw.make(text, '1'),
    raw.make(ping, '2'),
    raw.make(binary, '3'),
    raw.make(pong, '4'),
    raw.make(text, '5')
  ];
  raw.write(Buffer.concat(frames));
  await t.emitted(ws, 'message', 3);
  raw.close(1000);
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('R4 bytes after a close frame are ignored', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.write(
    Buffer.concat([
      raw.make(text, 'before'),
      raw.make(close, closeBody(1000, 'bye')),
      raw.make(text, 'after'),
      raw.make(ping, 'after'),
      raw.make(3, 'bad opcode'),
      Buffer.from([0xff, 0xff])
    ])
  );
  t.logFrames(...(await raw.framesThrough(close)));
  raw.send(text, 'long after');
  await raw.rest();
  raw.finish();
  await t.closed(ws);
});

scenario('R5 empty messages and fragments', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.send(text, '');
  raw.send(binary, '');
  for (const opcode of [text, binary]) {
    raw.send(opcode, '', { fin: false });
    raw.send(continuation, '', { fin: false });
    raw.send(continuation, '');
    raw.send(opcode, '', { fin: false });
    raw.send(continuation, 'x', { fin: false });
    raw.send(continuation, '');
  }
  raw.send(ping, '');
  raw.send(pong, '');
  await t.emitted(ws, 'pong');
  t.logFrames(await raw.frame());
});

scenario('R6 a delivered Buffer belongs to the listener', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const kept = [];
  ws.on('message', (data) => {
    kept.push(data);
    data.fill(kept.length);
  });
  for (let round = 0; round < 4; round++) {
    raw.write(
      Buffer.concat([raw.make(binary, 'aaaa'), raw.make(text, 'bbbb'), raw.make(binary, 'cc')])
    );
    await t.emitted(ws, 'message', 3 * (round + 1));
  }
  for (const data of kept) t.log(lane, 'kept', data);
});

scenario('R7 message data are Buffers', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  for (const event of ['message', 'ping', 'pong']) {
    ws.on(event, (data) =>
      t.log(lane, event, Buffer.isBuffer(data), `${data}`, JSON.stringify(data))
    );
  }
  ws.on('close', (code, reason) =>
    t.log(lane, 'reason', Buffer.isBuffer(reason), reason.buffer.byteLength)
  );
  raw.send(text, '{"a":1}');
  raw.send(ping, 'p');
  raw.send(pong, 'q');
  raw.close(1000, 'r');
  await raw.framesThrough(close);
  raw.finish();
  await t.closed(ws);
});

scenario('R8 lengths need not be minimal in data frames', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.send(text, 'two', { width: 2 });
  raw.send(text, 'eight', { width: 8 });
  raw.send(binary, '', { width: 8 });
  raw.send(binary, 'x'.repeat(200), { width: 8 });
  await t.emitted(ws, 'message', 4);
});

scenario('R8 one byte at a time', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.socket.setNoDelay(true);
  const bytes = Buffer.concat([
    raw.make(text, 'slowly'),
    raw.make(ping, 'pi'),
    raw.make(binary, 'x'.repeat(130), { fin: false }),
    raw.make(pong, 'po'),
    raw.make(continuation, 'y', { width: 8 }),
    raw.make(close, closeBody(1001, 'go'))
  ]);
  for (const byte of bytes) {
    // Each write is sent before the next one; the kernel may still join them, which must not matter.
    await new Promise((resolve) => raw.socket.write(Buffer.from([byte]), resolve));
  }
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('R8 a thousand small messages in one write', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const frames = [];
  for (let i = 0; i < 1000; i++) frames.push(raw.make(i % 2 ? text : binary, `message ${i}`));
  raw.write(Buffer.concat(frames));
  await t.emitted(ws, 'message', 1000);
});

scenario('R8 messages of all sizes', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  const sizes = [0, 1, 125, 126, 4095, 4096, 16384, 65535, 65536, 65537, 100000, 1 << 20, 5 << 20];
  for (const size of sizes) raw.send(size % 2 ? text : binary, Buffer.alloc(size, 'abcdefg'));
  raw.send(ping, 'last');
  await t.emitted(ws, 'ping');
});

scenario('R8 a large message in many fragments', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  for (let i = 0; i < 200; i++) {
    raw.send(i ? continuation : binary, Buffer.alloc(5000, i), { fin: i === 199 });
    if (i % 50 === 0) raw.send(ping, String(i));
  }
  await t.emitted(ws, 'message');
});

scenario(
  'R3 a reply from a listener is sent before the echo of a close frame in the same chunk',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    ws.on('message', (data) => {
      ws.send(`reply to ${data}`, (err) => t.log(lane, 'reply sent', !err));
    });
    raw.write(Buffer.concat([raw.make(text, 'question'), raw.make(close, closeBody(3000, 'bye'))]));
    t.logFrames(...(await raw.framesThrough(close)));
    t.log('wire', 'rest', await raw.rest());
    raw.finish();
    await t.closed(ws);
  }
);

scenario(
  'R3 a reply from a listener before a protocol error in the same chunk',
  BOTH,
  async (t) => {
    const { raw, ws } = await t.withRawPeer();
    ws.on('message', (data) => ws.send(`reply to ${data}`));
    raw.write(
      Buffer.concat([raw.make(text, 'question'), raw.make(5, 'bad'), raw.make(text, 'lost')])
    );
    t.logFrames(...(await raw.framesThrough(close)));
    raw.finish();
    await t.closed(ws);
  }
);

scenario('R3 listeners attached and removed between messages of a chunk', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.once('message', () => {
    const late = (data) => {
      t.log(lane, 'late listener', data);
      ws.off('message', late);
    };
    ws.on('message', late);
  });
  raw.write(Buffer.concat(['1', '2', '3'].map((data) => raw.make(text, data))));
  await t.emitted(ws, 'message', 3);
});

for (const call of ['close', 'terminate', 'pause']) {
  scenario(`R3 ${call}() in a listener within a chunk`, BOTH, async (t) => {
    const { raw, ws } = await t.withRawPeer();
    ws.once('message', () => ws[call]());
    raw.write(Buffer.concat(['1', '2', '3'].map((data) => raw.make(text, data))));
    if (call === 'pause') {
      // Bytes that were read before may still be delivered (Q1), so only the total is compared.
      await t.emitted(ws, 'message', 1);
      ws.resume();
      await t.emitted(ws, 'message', 3);
      return;
    }
    if (call === 'close') {
      t.logFrames(...(await raw.framesThrough(close)));
      raw.close(1000);
      await raw.rest();
    }
    raw.finish();
    await t.closed(ws);
  });
}
