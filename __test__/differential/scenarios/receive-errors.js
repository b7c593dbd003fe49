'use strict';

// Frames that are protocol errors, in both roles: every WS_ERR_* of 1.11, and statements E1 to E7.

const { scenario } = require('../run');
const { KEY, OPCODE, closeBody } = require('../frames');

const BOTH = ['server', 'client'];
const { continuation, text, binary, close, ping, pong } = OPCODE;

/** Name, arguments of RawPeer.send for each frame, options of the library under test. */
const BROKEN = [
  ['WS_ERR_UNEXPECTED_RSV_2_3: RSV2', [[text, 'x', { rsv: 2 }]]],
  ['WS_ERR_UNEXPECTED_RSV_2_3: RSV3', [[binary, 'x', { rsv: 1 }]]],
  ['WS_ERR_UNEXPECTED_RSV_2_3: all three in a ping', [[ping, 'x', { rsv: 7 }]]],
  ['WS_ERR_UNEXPECTED_RSV_1: text', [[text, 'x', { rsv: 4 }]]],
  [
    'WS_ERR_UNEXPECTED_RSV_1: continuation',
    [
      [text, 'x', { fin: false }],
      [continuation, 'y', { rsv: 4 }]
    ]
  ],
  ['WS_ERR_UNEXPECTED_RSV_1: ping', [[ping, 'x', { rsv: 4 }]]],
  ['WS_ERR_UNEXPECTED_RSV_1: close', [[close, '', { rsv: 4 }]]],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
    `WS_ERR_INVALID_OPCODE: ${opcode}`,
    [[opcode, 'x']]
  ]),
  ['WS_ERR_INVALID_OPCODE: continuation without a start', [[continuation, 'x']]],
  [
    'WS_ERR_INVALID_OPCODE: continuation after the last fragment',
    [
      [text, 'a', { fin: false }],
      [continuation, 'b'],
      [continuation, 'c']
    ]
  ],
  [
    'WS_ERR_INVALID_OPCODE: text inside a message',
    [
      [text, 'a', { fin: false }],
      [text, 'b']
    ]
  ],
  [
    'WS_ERR_INVALID_OPCODE: binary inside a message',
    [
      [binary, 'a', { fin: false }],
      [binary, 'b', { fin: false }]
    ]
  ],
  ['WS_ERR_EXPECTED_FIN: ping', [[ping, 'x', { fin: false }]]],
  ['WS_ERR_EXPECTED_FIN: pong', [[pong, '', { fin: false }]]],
  ['WS_ERR_EXPECTED_FIN: close', [[close, closeBody(1000), { fin: false }]]],
  ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: ping of 126', [[ping, 'x'.repeat(126)]]],
  ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: pong of 70000', [[pong, 'x'.repeat(70000)]]],
  [
    'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: ping of 5 in two length bytes',
    [[ping, 'short', { width: 2 }]]
  ],
  ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: close of 1', [[close, 'x']]],
  [
    'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: close of 126',
    [[close, closeBody(1000, 'x'.repeat(124))]]
  ],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => [
    `WS_ERR_INVALID_CLOSE_CODE: ${code}`,
    [[close, closeBody(code, 'why')]]
  ]),
  ['WS_ERR_INVALID_UTF8: text', [[text, Buffer.from([0xce, 0xba, 0xff])]]],
  [
    'WS_ERR_INVALID_UTF8: over fragments',
    [
      [text, Buffer.from([0xce]), { fin: false }],
      [continuation, Buffer.from([0x61])]
    ]
  ],
  ['WS_ERR_INVALID_UTF8: reason of a close', [[close, closeBody(1000, Buffer.from([0xff]))]]],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 2^53', [[binary, '', { declare: 1n << 53n }]]],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 2^63', [[binary, '', { declare: 1n << 63n }]]],
  [
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: declared, by default',
    [[binary, '', { declare: 104857601 }]]
  ],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 2^53 - 1', [[binary, '', { declare: (1n << 53n) - 1n }]]],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: one frame', [[text, 'x'.repeat(11)]], { maxPayload: 10 }],
  [
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: sum of fragments',
    [
      [text, 'x'.repeat(10)],
      [text, 'x'.repeat(5), { fin: false }],
      [continuation, 'x'.repeat(5), { fin: false }],
      [continuation, 'x']
    ],
    { maxPayload: 10 }
  ],
  [
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: header of a later fragment alone',
    [
      [binary, 'x'.repeat(5), { fin: false }],
      [continuation, '', { declare: 6, fin: false }]
    ],
    { maxPayload: 10 }
  ],
  [
    'WS_ERR_TOO_MANY_BUFFERED_PARTS: fragments',
    [
      [text, 'a', { fin: false }],
      [continuation, 'b', { fin: false }],
      [ping, 'between'],
      [continuation, 'c', { fin: false }],
      [continuation, 'd']
    ],
    { maxFragments: 3 }
  ],
  [
    'WS_ERR_TOO_MANY_BUFFERED_PARTS: empty fragments',
    [
      [text, '', { fin: false }],
      [continuation, '', { fin: false }],
      [continuation, '']
    ],
    { maxFragments: 2 }
  ]
];

/** Sends frames, then waits until the library under test has closed; its close frame is recorded. */
async function expectProtocolError(t, frames, options) {
  const { raw, ws } = await t.withRawPeer(options);
  raw.write(Buffer.concat(frames.map((args) => raw.make(...args))));
  t.logFrames(...(await raw.framesThrough(close)));
  raw.send(text, 'never looked at');
  raw.finish();
  await t.closed(ws);
}

for (const [name, frames, options] of BROKEN) {
  scenario(`E1 ${name}`, BOTH, (t) => expectProtocolError(t, frames, options));
}

scenario('E1 WS_ERR_EXPECTED_MASK', 'server', (t) =>
  expectProtocolError(t, [[text, 'x', { key: undefined }]])
);
scenario('E1 WS_ERR_EXPECTED_MASK: an empty close', 'server', (t) => {
  return expectProtocolError(t, [[close, '', { key: undefined }]]);
});
scenario('E1 WS_ERR_UNEXPECTED_MASK', 'client', (t) =>
  expectProtocolError(t, [[text, 'x', { key: KEY }]])
);
scenario('E1 WS_ERR_UNEXPECTED_MASK: an empty ping', 'client', (t) => {
  return expectProtocolError(t, [[ping, '', { key: KEY }]]);
});

/** Frames with two faults: the first of the pair must be reported. */
const ORDER = [
  ['RSV2 before RSV1', [[text, 'x', { rsv: 6 }]]],
  ['RSV2 before opcode', [[3, 'x', { rsv: 2 }]]],
  ['RSV1 before opcode', [[3, 'x', { rsv: 4 }]]],
  ['RSV1 before FIN', [[ping, 'x', { rsv: 4, fin: false }]]],
  ['FIN before length', [[ping, 'x'.repeat(126), { fin: false }]]],
  ['continuation without a start before length', [[continuation, '', { declare: 1n << 60n }]]]
];

for (const [name, frames] of ORDER)
  scenario(`E1 order of checks: ${name}`, BOTH, (t) => expectProtocolError(t, frames));

for (const [name, opcode, options] of [
  ['RSV', text, { rsv: 2 }],
  ['opcode', 7, {}],
  ['FIN', ping, { fin: false }],
  ['control length', ping, { declare: 126 }],
  ['mask before the length', text, { declare: 1n << 60n }]
]) {
  scenario(`E1 order of checks: ${name} against the mask`, BOTH, (t) => {
    const key = t.kind === 'server' ? undefined : KEY;
    return expectProtocolError(t, [[opcode, '', { ...options, key }]]);
  });
}

scenario('E1 too many buffered chunks', BOTH, async (t) => {
  // One byte per write, each awaited, of a message far longer than the limit: the kernel may join them, so either the limit is
  // exceeded or the message is complete.
  const { raw, ws } = await t.withRawPeer({ maxBufferedChunks: 0, maxFragments: 0, maxPayload: 0 });
  raw.socket.setNoDelay(true);
  const bytes = raw.make(text, 'x'.repeat(50));
  for (const byte of bytes) {
    await new Promise((resolve) => raw.socket.write(Buffer.from([byte]), resolve));
  }
  await t.emitted(ws, 'message');
});

scenario('E1 limits that mean no limit', BOTH, async (t) => {
  for (const limit of [0, -1, 2 ** 31, 2 ** 32, NaN, 'x']) {
    const { raw, ws } = await t.withRawPeer({ maxFragments: limit, maxPayload: limit });
    for (let i = 0; i < 50; i++) raw.send(i ? continuation : binary, 'xx', { fin: i === 49 });
    await t.emitted(ws, 'message');
  }
});

scenario('E1 limits given as text or with a fraction', BOTH, async (t) => {
  for (const [limit, lengths] of [
    ['3', [3, 4]],
    [3.9, [3, 4]]
  ]) {
    const { raw, ws } = await t.withRawPeer({ maxPayload: limit });
    for (const length of lengths) raw.send(text, 'x'.repeat(length));
    t.logFrames(...(await raw.framesThrough(close)));
    raw.finish();
    await t.closed(ws);
  }
});

scenario('E1 the messages before the error are delivered', BOTH, (t) => {
  return expectProtocolError(t, [
    [text, 'one'],
    [ping, 'two'],
    [binary, 'three'],
    [text, 'four', { fin: false }],
    [8, closeBody(1005)]
  ]);
});

scenario('E1 send and close in an error listener', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws.on('error', () => {
    t.attempt(lane, 'send', () => ws.send('x', (err) => t.log(lane, 'called back', err)));
    t.attempt(lane, 'close', () => ws.close(1000));
    t.trace.event(lane, 'state', [], ws);
  });
  raw.send(3, 'x');
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('E1 terminate in an error listener', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('error', () => ws.terminate());
  raw.send(3, 'x');
  await t.closed(ws);
});

scenario('E1 an error in CLOSING', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.close(1000);
  t.logFrames(await raw.frame());
  raw.send(text, 'still delivered');
  raw.send(3, 'x');
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('E1 an error between two libraries', 'pair', async (t) => {
  const { server, client } = await t.pair({ server: { maxPayload: 5 } });
  client.send('short');
  client.send('far too long');
  await t.closed(server, client);
});

scenario('E1 an error between two libraries, found by the client', 'pair', async (t) => {
  const { server, client } = await t.pair({ client: { maxPayload: 5 } });
  server.send('far too long');
  await t.closed(server, client);
});

scenario('E2 one error, even with several faults', BOTH, (t) => {
  return expectProtocolError(t, [
    [3, 'x'],
    [text, 'y', { rsv: 7 }],
    [close, 'z']
  ]);
});

scenario('E3 a reset emits no error', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.send(text, 'before');
  await t.emitted(ws, 'message');
  raw.reset();
  await t.closed(ws);
});

scenario('E3 a reset in the middle of a frame', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.write(Buffer.concat([raw.make(text, 'whole'), raw.make(text, 'cut off').subarray(0, 8)]));
  await t.emitted(ws, 'message');
  raw.reset();
  await t.closed(ws);
});

scenario('E3 a reset while much is queued', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  raw.socket.pause();
  for (let i = 0; i < 4; i++) ws.send(Buffer.alloc(16 << 20));
  ws.send('last', (err) => t.log(lane, 'last', err instanceof Error));
  raw.reset();
  await t.closed(ws);
});

scenario('E3 errors of the raw socket are not forwarded', 'server', async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws._socket.on('error', (err) => t.log('server', 'socket error', err));
  ws._socket.on('close', (failed) => t.log('server', 'socket close', failed));
  raw.reset();
  await t.closed(ws);
});

scenario('E3 destroying the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const socket = ws._socket;
  socket.on('error', (err) => t.log(lane, 'socket error', err));
  socket.destroy(new Error('mine'));
  t.trace.event(lane, 'state', [socket.destroyed], ws);
  await t.closed(ws);
  await raw.rest();
});

scenario('E4 FIN without a close frame', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.send(text, 'before');
  raw.finish();
  t.log('wire', 'rest', await raw.rest());
  await t.closed(ws);
});

scenario('E4 FIN in the middle of a message', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.send(text, 'first part', { fin: false });
  raw.write(raw.make(continuation, 'cut off').subarray(0, 5));
  raw.finish();
  t.log('wire', 'rest', await raw.rest());
  await t.closed(ws);
});

scenario('E4 FIN right after many messages', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  raw.write(Buffer.concat(Array.from({ length: 100 }, (_, i) => raw.make(text, `message ${i}`))));
  raw.send(binary, Buffer.alloc(300000));
  raw.finish();
  await t.closed(ws);
});

scenario('E4 messages sent by a listener before the FIN are sent', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer();
  ws.on('message', (data) => ws.send(`reply to ${data}`));
  raw.send(text, 'question');
  raw.finish();
  t.log('wire', 'rest', (await raw.rest()).length);
  await t.closed(ws);
});

for (const code of [undefined, 1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
  scenario(`E5 a close frame with ${code ?? 'nothing'}`, BOTH, async (t) => {
    const { raw, ws } = await t.withRawPeer();
    raw.close(code, code === undefined ? undefined : 'grüße');
    t.logFrames(...(await raw.framesThrough(close)));
    t.log('wire', 'rest', await raw.rest());
    raw.finish();
    await t.closed(ws);
  });
}

scenario('E7 maxPayload counts each message anew', BOTH, async (t) => {
  const { raw, ws } = await t.withRawPeer({ maxPayload: 10 });
  for (let i = 0; i < 3; i++) {
    raw.send(text, 'x'.repeat(10));
    raw.send(binary, 'x'.repeat(5), { fin: false });
    raw.send(ping, 'x'.repeat(100));
    raw.send(continuation, 'x'.repeat(5));
  }
  await t.emitted(ws, 'message', 6);
});

scenario(
  'E1 an error without a listener reaches uncaughtException',
  'server',
  async (t) => {
    const child = t.child('no-error-listener.js', t.serverSubject);
    const port = Number(await child.line());
    const raw = await t.sendRequest({ address: () => ({ port }) });
    await raw.head();
    raw.send(3, 'x');
    t.logFrames(...(await raw.framesThrough(close)));
    raw.finish();
    const { code, output } = await child.finished;
    t.log('child', 'exit', code);
    for (const line of output.slice(1)) t.trace.line('child', line);
  },
  { isWaiting: true }
);
