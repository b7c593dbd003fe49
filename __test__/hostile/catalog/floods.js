'use strict';

// Floods of small units: pings with unread pongs, tiny segments, empty frames, and a peer that does not read the replies to its
// requests (A4, A5, A6). Floods of fragments are in fragments.js, memory bounds in advisories-memory.test.js.

const { OPCODE } = require('../../differential/frames');
const { nextIteration } = require('../event-loop');

const { continuation, text, binary, ping, pong } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

/** @returns {Buffer} */
const many = (count, make) => Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));

/** More than the kernel buffers for a peer that does not read (megabytes), in one segment. */
const TORRENT = 64 * 1024;

/** Writes the same bytes without reading, twice as many each time, until the connection is lost. */
async function flood({ t, raw, ws }, bytes, event) {
  ws.removeAllListeners(event);
  raw.socket.pause();
  const lost = new Promise((resolve) => ws.once('close', () => resolve(true)));
  let isOpen = true;
  lost.then(() => (isOpen = false));
  while (isOpen && !raw.closed) {
    await Promise.race([lost, new Promise((resolve) => raw.socket.write(bytes, resolve))]);
    await nextIteration();
    if (bytes.length < TORRENT) bytes = Buffer.concat([bytes, bytes]);
  }
  await t.closed(ws);
  raw.socket.destroy();
  await raw.gone();
}

/** @type {Attack[]} */
const attacks = [];

for (const [name, payload] of [
  ['empty', ''],
  ['of 125 bytes', 'p'.repeat(125)]
]) {
  for (const maxPendingAutoPongs of [undefined, 1, 5]) {
    attacks.push({
      name: `A5 pings ${name} without end, pongs unread, limit ${maxPendingAutoPongs ?? 'by default'}`,
      against: 'both',
      options: maxPendingAutoPongs ? { maxPendingAutoPongs } : {},
      blurred: true,
      play: (stage) =>
        flood(
          stage,
          many(50, () => stage.make(ping, payload)),
          'ping'
        )
    });
  }
  attacks.push(
    {
      name: `A5 300 pings ${name}, each pong read`,
      against: 'both',
      play: async ({ t, raw, make, write }) => {
        for (let i = 0; i < 300; i++) {
          await write(make(ping, payload));
          const answer = await raw.frame();
          if (i === 299) t.logFrames(answer);
        }
      }
    },
    {
      name: `A5 1000 pings ${name} in one segment, autoPong off`,
      against: 'both',
      options: { autoPong: false },
      bytes: ({ make }) => [many(1000, () => make(ping, payload))]
    },
    {
      name: `A5 1000 unsolicited pongs ${name}`,
      against: 'both',
      bytes: ({ make }) => [many(1000, () => make(pong, payload))]
    }
  );
}

for (const maxPendingAutoPongs of [1, 3, 60]) {
  for (const over of [0, 1]) {
    attacks.push({
      name: `A5 ${maxPendingAutoPongs + over} pings in one segment with a limit of ${maxPendingAutoPongs}`,
      against: 'both',
      options: { maxPendingAutoPongs },
      blurred: true,
      bytes: ({ make }) => [many(maxPendingAutoPongs + over, (i) => make(ping, String(i)))]
    });
  }
}

for (const [name, opcode, payload] of /** @type {[string, number, string][]} */ ([
  ['empty texts', text, ''],
  ['empty binaries', binary, ''],
  ['texts of one byte', text, 'x']
])) {
  attacks.push(
    {
      name: `A3 2000 ${name} in one segment`,
      against: 'both',
      bytes: ({ make }) => [many(2000, () => make(opcode, payload))]
    },
    {
      name: `A4 50 ${name}, byte by byte`,
      against: 'both',
      bytewise: true,
      bytes: ({ make }) => [many(50, () => make(opcode, payload))]
    }
  );
}

for (const length of [1, 125, 126, 1000]) {
  attacks.push({
    name: `A4 a message of ${length} bytes, byte by byte`,
    against: 'both',
    bytewise: true,
    bytes: ({ make }) => [make(binary, Buffer.alloc(length, 'tiny'))]
  });
}

attacks.push(
  {
    name: 'A4 a fragmented message with pings in between, byte by byte',
    against: 'both',
    bytewise: true,
    bytes: ({ make }) => [
      make(text, 'Grü', { fin: false }),
      make(ping, 'one'),
      make(continuation, '', { fin: false }),
      make(ping, 'two'),
      make(continuation, 'ße')
    ]
  },
  {
    name: 'A6 a megabyte is requested and not read, then RST',
    against: 'both',
    end: 'reset',
    under: (ws) => ws.on('message', () => ws.send(Buffer.alloc(16 << 20))),
    play: async ({ t, raw, ws, make, write }) => {
      raw.socket.pause();
      await write(make(text, 'everything, please'));
      await t.emitted(ws, 'message');
      t.log('program', 'much is waiting', ws.bufferedAmount > 1 << 20);
    }
  },
  {
    name: 'A6 messages come faster than a paused program reads them',
    against: 'both',
    under: (ws) => ws.pause(),
    play: async ({ t, ws, raw, make, write }) => {
      await write(many(100, (i) => make(text, String(i))));
      raw.finish();
      t.log('program', 'paused', ws.isPaused);
      ws.resume();
      await t.emitted(ws, 'message', 100);
    }
  }
);

module.exports = attacks;
