'use strict';

// The steps of a connection at which its peer drops it; each drops it once. Used by dropped.js. `raw` are the steps of a bare
// socket, `early` those before the connection is open, `common` those of every peer.

const { once } = require('node:events');
const { OPCODE, closeBody } = require('../../differential/frames');
const { Deflater, digits } = require('../../differential/deflate');
const { upgradeRequest } = require('../../differential/raw-peer');

/** @typedef {import('./dropping').Dropping} Dropping */
/** @typedef {(d: Dropping) => Promise<void>} Step */

/** More than the kernel buffers. */
const LARGE = Buffer.alloc(12 * 1024 * 1024, 'l');
/** Compressed and inflated on other threads. */
const DIGITS = digits(300_000);
const COMPRESSED = new Deflater().part(DIGITS);

const ANSWER = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  '',
  ''
].join('\r\n');

/** A step on an open connection. @returns {Step} */
const opened =
  (take, perMessageDeflate = false) =>
  async (d) => {
    const { ws, peer } = await d.connected(perMessageDeflate);
    await take({ d, ws, peer, drop: () => d.drop(peer) });
  };

/** @type {Record<string, Step>} */
const early = {};

for (const part of [0, 1, 40, 100, -1, undefined]) {
  // The head of the request, or of the response, cut off after some bytes, or whole.
  early[`${part ?? 'all'} bytes of the head`] = async (d) => {
    const { peer } = await d.connectBare();
    if (!d.isServer) await peer.head();
    const head = d.isServer ? upgradeRequest() : ANSWER;
    if (part !== 0) peer.write(head.slice(0, part));
    d.drop(peer);
    if (d.how === 'finish') await once(peer.socket, 'end');
  };
}

early['with the answer and a message'] = async (d) => {
  const { peer } = await d.connectBare();
  const message = peer.make(OPCODE.text, 'at once');
  if (d.isServer) peer.write(Buffer.concat([Buffer.from(upgradeRequest()), message]));
  else peer.accept(await peer.head(), { after: message });
  d.drop(peer);
};

/** @type {Record<string, Step>} */
const raw = {};

// The longest header has ten bytes, and a masking key of four.
for (let count = 0; count <= 14; count++) {
  raw[`${count} bytes of a header`] = opened(({ peer, drop }) => {
    const header = peer.make(OPCODE.binary, '', { declare: 70_000 });
    peer.write(header.subarray(0, count));
    drop();
  });
}

for (const [length, given] of [
  [100, 1],
  [1000, 999],
  [1 << 20, 10],
  [1 << 20, 300_000],
  [16 << 20, 1 << 20]
]) {
  raw[`${given} of ${length} bytes`] = opened(({ peer, drop }) => {
    peer.write(peer.make(OPCODE.binary, LARGE.subarray(0, given), { declare: length }));
    drop();
  });
}

raw['in a control frame between fragments'] = opened(({ peer, drop }) => {
  peer.send(OPCODE.text, 'first', { fin: false });
  peer.write(peer.make(OPCODE.ping, 'ping?').subarray(0, 5));
  drop();
});

raw['in a compressed frame'] = opened(({ peer, drop }) => {
  peer.write(peer.make(OPCODE.text, COMPRESSED, { rsv: 4 }).subarray(0, 100_000));
  drop();
}, true);

raw['between compressed fragments'] = opened(({ peer, drop }) => {
  const deflater = new Deflater();
  peer.send(OPCODE.text, deflater.part(DIGITS, false), { rsv: 4, fin: false });
  peer.send(OPCODE.continuation, deflater.part(DIGITS, false), { fin: false });
  drop();
}, true);

raw['while invalid compressed data is inflated'] = opened(({ peer, drop }) => {
  const bytes = Buffer.concat([COMPRESSED.subarray(0, 200_000), Buffer.alloc(50_000, 6)]);
  peer.send(OPCODE.text, bytes, { rsv: 4 });
  drop();
}, true);

raw['in a close frame'] = opened(({ peer, drop }) => {
  peer.write(peer.make(OPCODE.close, closeBody(1000, 'reason')).subarray(0, 5));
  drop();
});

raw['behind a broken frame'] = opened(({ peer, drop }) => {
  peer.send(OPCODE.text, 'broken', { rsv: 2 });
  drop();
});

raw['between their close frame and ours'] = opened(({ peer, drop }) => {
  peer.close(1000, 'theirs');
  drop();
});

raw['after both close frames'] = opened(async ({ peer, drop }) => {
  peer.close(1000, 'theirs');
  await peer.framesThrough(OPCODE.close);
  drop();
});

raw['between our close frame and theirs'] = opened(async ({ ws, peer, drop }) => {
  ws.close(1000, 'ours');
  await peer.framesThrough(OPCODE.close);
  drop();
});

/** Text from a peer of either kind. */
const say = (peer, text) => {
  if (peer.socket) peer.send(OPCODE.text, text);
  else peer.send(text);
};

/** @type {Record<string, Step>} */
const common = {
  'while nothing is said': opened(({ drop }) => drop()),

  'between fragments': opened(({ peer, drop }) => {
    if (peer.socket) peer.send(OPCODE.text, 'first', { fin: false });
    else peer.send('first', { fin: false });
    drop();
  }),

  'behind many messages': opened(({ d, ws, peer, drop }) => {
    ws.on('message', (data) => d.send(ws, data));
    for (let number = 0; number < 100; number++) say(peer, `message ${number}`);
    drop();
  }),

  'during a large send': opened(({ d, ws, peer, drop }) => {
    (peer.socket ?? peer).pause();
    d.send(ws, LARGE);
    d.send(ws, 'behind it');
    if (ws.bufferedAmount === 0) throw new Error('it was not large');
    drop();
    if (!peer.socket) peer.resume();
  }),

  'while paused, and then resumed': opened(async ({ ws, peer, drop }) => {
    ws.pause();
    say(peer, 'unread');
    drop();
    await new Promise((resolve) => setImmediate(resolve));
    ws.resume();
  }),

  'while paused, and then terminated': opened(async ({ ws, peer, drop }) => {
    ws.pause();
    say(peer, 'unread');
    drop();
    await new Promise((resolve) => setImmediate(resolve));
    ws.terminate();
  }),

  'while compressing': opened(({ d, ws, drop }) => {
    d.send(ws, DIGITS);
    d.send(ws, 'behind it');
    drop();
  }, true),

  'while inflating': opened(({ peer, drop }) => {
    if (peer.socket) {
      peer.send(OPCODE.text, COMPRESSED, { rsv: 4 });
      peer.send(OPCODE.text, 'behind it');
      drop();
    } else {
      peer.send(DIGITS, drop);
    }
  }, true),

  'while both compress': opened(({ d, ws, peer, drop }) => {
    ws.on('message', (data) => d.send(ws, data));
    if (peer.socket) peer.send(OPCODE.text, COMPRESSED, { rsv: 4 });
    else peer.send(DIGITS);
    d.send(ws, DIGITS);
    peer.socket?.once('data', drop);
    if (!peer.socket) peer.once('message', drop);
  }, true),

  'with our close': opened(({ ws, drop }) => {
    ws.close(1000, 'ours');
    drop();
  }),

  'with their close': opened(({ peer, drop }) => {
    peer.close(1000, 'theirs');
    drop();
  }),

  'with both closes': opened(({ ws, peer, drop }) => {
    ws.close(1000, 'ours');
    peer.close(1000, 'theirs');
    drop();
  }),

  'with a close behind a large send': opened(({ d, ws, peer, drop }) => {
    (peer.socket ?? peer).pause();
    d.send(ws, LARGE);
    ws.close(1000, 'ours');
    drop();
    if (!peer.socket) peer.resume();
  })
};

module.exports = { common, early, raw };
