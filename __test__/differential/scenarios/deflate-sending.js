'use strict';

// Selection of the messages that are compressed: statements S4 to S6.

const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { digits, noise } = require('../deflate');
const { deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { close } = OPCODE;

/** Fragments of a message: data and options of send. */
const FRAGMENTED = [
  ['by default', [['one'], ['two'], ['three']]],
  [
    'compressed by the first',
    [
      ['one', { compress: true }],
      ['two', { compress: false }]
    ]
  ],
  [
    'not compressed by the first',
    [
      ['one', { compress: false }],
      ['two', { compress: true }]
    ]
  ],
  [
    'undecided by the first',
    [
      ['one', { compress: undefined }],
      ['two', { compress: true }]
    ]
  ],
  ['empty', [[''], [''], ['']]],
  ['empty around', [[''], ['one'], ['']]],
  ['binary', [[Buffer.from('one')], ['two', { binary: false }]]],
  ['binary, not compressed', [[Buffer.from('one'), { compress: false }], [Buffer.from('two')]]],
  ['large', [[noise(70000)], ['x'.repeat(200000)], [noise(70000, 'other')]]]
];

for (const [name, parts] of FRAGMENTED) {
  scenario(`S4 deflate: fragments ${name}`, BOTH, async (t) => {
    const { peer, ws } = await deflating(t);
    for (let round = 0; round < 2; round++) {
      parts.forEach(([data, options], i) => {
        ws.send(data, { ...options, fin: i === parts.length - 1 });
        ws.ping(`behind ${i}`);
      });
      ws.send('whole');
    }
    ws.close(1000);
    await peer.through(close);
  });
}

scenario('S4 deflate: the threshold is compared with the first fragment', BOTH, async (t) => {
  const { peer, ws } = await deflating(t, { agreed: `${t.kind}_no_context_takeover` });
  for (const [first, second] of [
    [1023, 2000],
    [1024, 3],
    [0, 5000],
    [5000, 0]
  ]) {
    ws.send(digits(first), { fin: false });
    ws.send(digits(second, 'second'), { fin: true });
    await peer.next(2);
  }
});

/** Values of the option compress. */
const COMPRESS = [undefined, false, null, 0, '', true, 1, 'yes'];

scenario('S5 deflate: compress of every kind', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  for (const compress of COMPRESS) {
    ws.send(digits(100), { compress });
    ws.send(Buffer.from('bytes'), { compress });
    ws.send(new Blob(['blob']), { compress });
  }
  ws.send('by default', {});
  ws.send('options that are null', null);
  ws.send('options that are undefined', undefined);
  ws.close(1000);
  await peer.through(close);
});

scenario('S5 deflate: compressed and uncompressed messages alternate', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  for (let i = 0; i < 12; i++) ws.send(digits(i * 100, String(i % 3)), { compress: i % 2 === 0 });
  ws.close(1000);
  await peer.through(close);
});

scenario('S5 deflate: compress has no effect when the other side declined', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, undefined, { perMessageDeflate: { threshold: 0 } });
  const raw = await listening.next();
  raw.accept(await raw.head());
  await t.opened(ws);
  ws.send('x'.repeat(2000), { compress: true });
  ws.send('x'.repeat(2000));
  t.logFrames(await raw.frame(), await raw.frame());
});

/** Settings of threshold, and lengths of messages around them. */
const THRESHOLDS = [
  ['by default', {}, [0, 1, 1023, 1024, 1025]],
  ['undefined', { threshold: undefined }, [1023, 1024]],
  ['0', { threshold: 0 }, [0, 1, 1024]],
  ['10', { threshold: 10 }, [0, 9, 10, 11]],
  ['a million', { threshold: 1e6 }, [1024, 999999, 1e6]],
  ['none', { threshold: Infinity }, [1024, 100000]],
  ['-1', { threshold: -1 }, [0, 1]],
  ['text', { threshold: '10' }, [9, 10]],
  ['null', { threshold: null }, [0, 1]]
];

for (const [name, deflate, lengths] of THRESHOLDS) {
  scenario(`S6 deflate: threshold ${name}, with and without context`, BOTH, async (t) => {
    const other = t.kind === 'server' ? 'client' : 'server';
    const both = 'server_no_context_takeover; client_no_context_takeover';
    for (const agreed of [
      '',
      `${t.kind}_no_context_takeover`,
      `${other}_no_context_takeover`,
      both
    ]) {
      const { peer, ws } = await deflating(t, { agreed, deflate });
      t.log('wire', 'agreed', agreed);
      for (const length of lengths) {
        ws.send(Buffer.alloc(length, 'abc'));
        ws.send('d'.repeat(length));
      }
      await peer.next(2 * lengths.length);
    }
  });
}

scenario('S6 deflate: the threshold counts bytes, not characters', BOTH, async (t) => {
  const { peer, ws } = await deflating(t, { agreed: `${t.kind}_no_context_takeover` });
  for (const data of ['\u00e4'.repeat(511), '\u00e4'.repeat(512), '\ud83e\udd80'.repeat(256)])
    ws.send(data);
  ws.send(new Uint16Array(511));
  ws.send(new Uint16Array(512));
  ws.send(new Blob(['x'.repeat(1023)]));
  ws.send(new Blob(['x'.repeat(1024)]));
  await peer.next(7);
});
