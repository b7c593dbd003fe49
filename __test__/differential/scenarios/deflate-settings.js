'use strict';

// Windows of every size (statement Z6) and the options of zlib (1.6), on either side: traffic must get through with all of
// them.

const zlib = require('node:zlib');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { Deflater, digits, noise } = require('../deflate');
const { RSV1, agreement, deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { text, binary, close } = OPCODE;

/** Data with repetitions at distances of 250, 1000 and 40000 bytes. */
const REPEATING = (() => {
  const [near, far, farther] = ['near', 'far', 'farther'].map((seed) => digits(120, seed));
  const between = (length) => digits(length, `between ${length}`);
  const repeated = [near, between(130), near, far, between(880), far];
  return [...repeated, farther, between(20000), between(20001), farther].join('');
})();

for (let bits = 8; bits <= 15; bits++) {
  scenario(`Z6 deflate: a window of ${bits} bits for sent messages`, BOTH, async (t) => {
    // The peer inflates with a window of exactly this many bits.
    const { peer, ws, lane } = await deflating(t, { agreed: `${t.kind}_max_window_bits=${bits}` });
    t.log(lane, 'agreed', ...agreement(ws));
    for (const data of [digits(100), digits(100), REPEATING, noise(2000), REPEATING.slice(0, 1500)])
      ws.send(data);
    ws.send(REPEATING.slice(0, 700), { fin: false });
    ws.send(REPEATING.slice(0, 700));
    await peer.next(7);
  });

  scenario(`Z6 deflate: a window of ${bits} bits for received messages`, BOTH, async (t) => {
    const side = t.kind === 'server' ? 'client' : 'server';
    const { peer, raw, ws, lane } = await deflating(t, {
      agreed: `${side}_max_window_bits=${bits}`
    });
    t.log(lane, 'agreed', ...agreement(ws));
    for (const data of [digits(100), digits(100), REPEATING, noise(2000), REPEATING.slice(0, 1500)])
      peer.send(text, data.toString('latin1'));
    raw.write(peer.fragments(binary, [REPEATING.slice(0, 700), REPEATING.slice(0, 700)]));
    await t.emitted(ws, 'message', 6);
  });
}

for (const bits of [8, 9, 12, 15]) {
  scenario(`Z6 deflate: windows of ${bits} bits between two libraries`, 'pair', async (t) => {
    const perMessageDeflate = { serverMaxWindowBits: bits, clientMaxWindowBits: bits };
    const { server, client } = await t.pair({
      server: { perMessageDeflate },
      client: { perMessageDeflate }
    });
    t.log('server', 'agreed', ...agreement(server));
    t.log('client', 'agreed', ...agreement(client));
    for (const data of [REPEATING, '', REPEATING, noise(70000), 'y'.repeat(70000), REPEATING]) {
      server.send(data);
      client.send(data);
    }
    await t.emitted(server, 'message', 6);
    await t.emitted(client, 'message', 6);
  });
}

scenario(
  'Z6 deflate: a client keeps its offered window without a response',
  'client',
  async (t) => {
    // The response does not mention it: the client keeps its own offer.
    const { peer, ws, lane } = await deflating(t, { deflate: { clientMaxWindowBits: 9 } });
    t.log(lane, 'agreed', ...agreement(ws));
    for (let i = 0; i < 2; i++) ws.send(REPEATING);
    await peer.next(2);
  }
);

scenario('Z6 deflate: a distance beyond the window that was agreed', BOTH, async (t) => {
  const side = t.kind === 'server' ? 'client' : 'server';
  const { raw, ws } = await deflating(t, { agreed: `${side}_max_window_bits=9` });
  const deflater = new Deflater();
  // In a later message: a distance that far back has been forgotten.
  raw.send(text, deflater.part(digits(100) + digits(5000, 'between')), { rsv: RSV1 });
  raw.send(text, deflater.part(digits(100)), { rsv: RSV1 });
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('Z6 deflate: windowBits in the options of zlib are ignored', BOTH, async (t) => {
  const deflate = { zlibInflateOptions: { windowBits: 9 }, zlibDeflateOptions: { windowBits: 9 } };
  const { peer, ws } = await deflating(t, { deflate });
  const data = digits(600) + digits(6000, 'between');
  for (let i = 0; i < 2; i++) {
    peer.send(text, data);
    ws.send(data);
  }
  await t.emitted(ws, 'message', 2);
  const [first, second] = await peer.next(2);
  t.log('wire', 'shorter', second.payload.length < first.payload.length / 2);
});

/** Options for the compression of messages. */
const OPTIONS = [
  ...Array.from({ length: 11 }, (_, i) => ({ level: i - 1 })),
  ...Array.from({ length: 9 }, (_, i) => ({ memLevel: i + 1 })),
  ...Array.from({ length: 5 }, (_, i) => ({ strategy: i })),
  { chunkSize: 64 },
  { chunkSize: 1 << 20 },
  { level: 1, memLevel: 1, strategy: 2, chunkSize: 100 },
  { level: undefined, memLevel: undefined, strategy: undefined, chunkSize: undefined }
];

const shown = (options) =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

for (const options of OPTIONS) {
  scenario(`1.6 deflate: zlibDeflateOptions ${shown(options)}`, BOTH, async (t) => {
    const { peer, ws } = await deflating(t, { deflate: { zlibDeflateOptions: options } });
    ws.send(digits(3000));
    ws.send('y'.repeat(70000));
    ws.send(REPEATING, { fin: false });
    ws.send('', { fin: false });
    ws.send(noise(3000));
    ws.send('');
    await peer.next(6);
  });
}

for (const chunkSize of [64, 100, 16384, 1 << 20]) {
  scenario(`1.6 deflate: zlibInflateOptions chunkSize ${chunkSize}`, BOTH, async (t) => {
    const deflate = { zlibInflateOptions: { chunkSize } };
    const { peer, raw, ws } = await deflating(t, { deflate });
    peer.send(text, digits(3000));
    peer.send(text, 'y'.repeat(7000));
    raw.write(peer.fragments(binary, [noise(1000), '', digits(1000)]));
    peer.send(binary, '');
    await t.emitted(ws, 'message', 4);
  });
}

scenario('1.6 deflate: level 0 compresses nothing, the others do', BOTH, async (t) => {
  const lengths = [];
  for (const level of [0, 1, 9]) {
    const { peer, ws } = await deflating(t, { deflate: { zlibDeflateOptions: { level } } });
    ws.send(JSON.stringify(Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `name ${i}` }))));
    const [{ payload }] = await peer.next();
    lengths.push(payload.length);
  }
  const [none, fast, best] = lengths;
  t.log('wire', 'lengths', none > 20000, fast < none / 2, best < none / 2);
});

const DICTIONARY = Buffer.from('{"type":"message","text":"","from":"a well-known name"}');
const KNOWN = '{"type":"message","text":"hello","from":"a well-known name"}';

/** The same dictionary for both directions. */
const deflate = {
  threshold: 0,
  zlibDeflateOptions: { dictionary: DICTIONARY },
  zlibInflateOptions: { dictionary: DICTIONARY }
};

const NO_CONTEXT = 'server_no_context_takeover; client_no_context_takeover';

for (const agreed of ['', NO_CONTEXT]) {
  scenario(`1.6 deflate: a dictionary, with ${agreed || 'context'}`, BOTH, async (t) => {
    const { peer, raw, ws } = await deflating(t, { agreed, deflate, dictionary: DICTIONARY });
    for (let i = 0; i < 3; i++) {
      peer.send(text, KNOWN);
      raw.write(peer.fragments(binary, [KNOWN, digits(100), KNOWN]));
      ws.send(KNOWN);
    }
    await t.emitted(ws, 'message', 6);
    const all = await peer.next(3);
    t.log('wire', 'first is short', all[0].payload.length < KNOWN.length / 2);
  });
}

scenario('1.6 deflate: a dictionary after a final block', BOTH, async (t) => {
  const { raw, ws } = await deflating(t, { deflate });
  for (let i = 0; i < 3; i++) {
    const bytes = zlib.deflateRawSync(KNOWN, { dictionary: DICTIONARY });
    raw.send(text, Buffer.concat([bytes, Buffer.alloc(1)]), { rsv: RSV1 });
  }
  await t.emitted(ws, 'message', 3);
});

scenario('1.6 deflate: a dictionary unknown to the peer', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t, { dictionary: DICTIONARY });
  peer.send(text, KNOWN);
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('1.6 deflate: a dictionary longer than the window', BOTH, async (t) => {
  const dictionary = Buffer.from(digits(2000, 'dictionary'));
  const options = { dictionary };
  const { peer, ws } = await deflating(t, {
    agreed: 'server_max_window_bits=9; client_max_window_bits=9',
    deflate: { zlibDeflateOptions: options, zlibInflateOptions: options },
    dictionary
  });
  const data = dictionary.toString('latin1', 1900) + digits(300);
  peer.send(text, data);
  ws.send(data);
  await t.emitted(ws, 'message');
  await peer.next();
});

scenario('1.6 deflate: dictionaries between two libraries', 'pair', async (t) => {
  for (const more of [{}, { serverNoContextTakeover: true, clientNoContextTakeover: true }]) {
    const perMessageDeflate = { ...deflate, ...more };
    const { server, client } = await t.pair({
      server: { perMessageDeflate },
      client: { perMessageDeflate }
    });
    for (const data of [KNOWN, KNOWN, REPEATING, KNOWN]) {
      server.send(data);
      client.send(data);
    }
    await t.emitted(server, 'message', 4);
    await t.emitted(client, 'message', 4);
  }
});

scenario('1.6 deflate: options of zlib of every kind between two libraries', 'pair', async (t) => {
  for (const [i, options] of OPTIONS.entries()) {
    const others = OPTIONS[(i + 7) % OPTIONS.length];
    const { server, client } = await t.pair({
      server: { perMessageDeflate: { zlibDeflateOptions: options } },
      client: { perMessageDeflate: { zlibDeflateOptions: others } }
    });
    for (const data of [REPEATING, noise(3000), 'y'.repeat(100000)]) {
      server.send(data);
      client.send(data);
    }
    await t.emitted(server, 'message', 3);
    await t.emitted(client, 'message', 3);
  }
});
