'use strict';

// Attacks by permessage-deflate: bombs, invalid blocks, distances too far back, data after the end, misplaced RSV1, and secrets
// sent uncompressed (A1, A12, A23, A24; RFC 7692, section 7). Memory bounds are in advisories-memory.test.js.

const { TRAILER, Deflater, bomb, digits, noise } = require('../../differential/deflate');
const { RSV1 } = require('../../differential/deflate-peer');
const { OPCODE, closeBody } = require('../../differential/frames');

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

const NO_TAKEOVER = 'server_no_context_takeover; client_no_context_takeover';
const MIB = 1 << 20;
/** Made once: 64 MiB in 64 KiB. */
const BOMB = bomb(64);

/** Invalid and incomplete deflate streams, in hexadecimal. */
const STREAMS = /** @type {[string, string][]} */ ([
  ['an unknown block type', '06'],
  ['lengths of a stored block that disagree', '00050000000102030405'],
  ['too many symbols', 'fce00100000000000000'],
  ['a set of code lengths that is none', '04e09324499224499200'],
  ['a repetition of nothing', '04e08300000000000000'],
  ['a symbol that is none', '4a1c03'],
  ['a distance code that is none', '4a043e'],
  ['a distance too far back', '4a047200'],
  ['bytes of ones', 'ffffffffffffffff'],
  ['a stream with the head of zlib', '789c4bcac92c4a07000a0a0282'],
  ['a stream with the head of gzip', '1f8b08000000000000034bcac92c4a0700'],
  ['half of a stored block', '000500faff4865'],
  ['half of a block with fixed codes', 'f24805'],
  ['a block that is the last', 'cb48cdc9c90700'],
  ['a final block followed by bytes', 'cb48cdc9c90700deadbeef'],
  ['a hundred empty blocks', '000000ffff'.repeat(100)],
  ['nothing but an empty last block', '0300'],
  ['nothing but an empty block', '00'],
  ['nothing at all', '']
]);

/** @type {Attack[]} */
const attacks = STREAMS.flatMap(([name, hex]) =>
  ['', NO_TAKEOVER].map((deflate) => ({
    name: `A24 ${name}${deflate ? ', without context takeover' : ''}`,
    against: /** @type {const} */ ('both'),
    deflate,
    end: /** @type {const} */ ('wait'),
    bytes: ({ raw }) => [
      raw.make(binary, Buffer.from(hex, 'hex'), { rsv: RSV1 }),
      // Enough that an incomplete stream finds an end, and an error.
      ...Array.from({ length: 4 }, () => raw.make(binary, Buffer.alloc(70000, 0xff), { rsv: RSV1 }))
    ]
  }))
);

for (const deflate of ['', NO_TAKEOVER]) {
  const about = deflate ? 'without context takeover' : 'with context takeover';
  attacks.push(
    {
      name: `A1 a bomb in one frame, ${about}`,
      against: 'both',
      deflate,
      options: { maxPayload: MIB },
      end: 'wait',
      bytes: ({ raw }) => [raw.make(binary, BOMB, { rsv: RSV1 })]
    },
    {
      name: `A1 a bomb in fragments of 1000 bytes, ${about}`,
      against: 'both',
      deflate,
      options: { maxPayload: MIB },
      end: 'wait',
      bytes: ({ raw }) => {
        const parts = [];
        for (let at = 0; at < BOMB.length; at += 1000) parts.push(BOMB.subarray(at, at + 1000));
        return [
          Buffer.concat(
            parts.map((part, i) =>
              raw.make(i ? continuation : binary, part, {
                rsv: i ? 0 : RSV1,
                fin: i === parts.length - 1
              })
            )
          )
        ];
      }
    },
    {
      name: `A1 a bomb after messages within the limit, ${about}`,
      against: 'both',
      deflate,
      options: { maxPayload: MIB },
      end: 'wait',
      bytes: ({ peer }) => [
        peer.make(text, 'b'.repeat(MIB)),
        peer.make(binary, Buffer.alloc(MIB, 'b')),
        peer.make(binary, Buffer.alloc(MIB + 1, 'b'))
      ]
    },
    {
      name: `A1 a bomb of 100 MiB and one against the default limit, ${about}`,
      against: 'both',
      deflate,
      end: 'wait',
      bytes: ({ raw }) => [
        raw.make(binary, Buffer.concat([bomb(100), TRAILER, new Deflater().part('x')]), {
          rsv: RSV1
        })
      ]
    },
    {
      name: `A1 a bomb of text, ${about}`,
      against: 'both',
      deflate,
      options: { maxPayload: 1000 },
      end: 'wait',
      bytes: ({ peer }) => [peer.make(text, 'b'.repeat(MIB))]
    },
    {
      name: `A1 messages that are too long only when compressed, ${about}`,
      against: 'both',
      deflate,
      options: { maxPayload: 1000 },
      end: 'wait',
      bytes: ({ peer }) => [peer.make(binary, noise(900)), peer.make(binary, noise(1000, 'other'))]
    },
    {
      name: `A24 references to earlier messages, ${about}`,
      against: 'both',
      deflate,
      end: deflate ? 'wait' : 'probe',
      bytes: ({ raw }) => {
        const said = new Deflater();
        return [1, 2, 3].map(() => raw.make(text, said.part(digits(500, 'said')), { rsv: RSV1 }));
      }
    }
  );
}

/** Frames with an invalid RSV1, and some with a valid one. */
const BITS = /** @type {[string, [number, string, boolean, number][]][]} */ ([
  ['on a ping', [[ping, 'x', true, RSV1]]],
  ['on a pong', [[pong, 'x', true, RSV1]]],
  ['on a close', [[close, '', true, RSV1]]],
  [
    'on a continuation',
    [
      [text, '', false, RSV1],
      [continuation, 'x', true, RSV1]
    ]
  ],
  [
    'on a continuation of what is plain',
    [
      [text, 'a', false, 0],
      [continuation, 'x', true, RSV1]
    ]
  ],
  ['with RSV2', [[text, 'x', true, RSV1 | 2]]],
  ['with RSV3', [[text, 'x', true, RSV1 | 1]]],
  ['on an unknown opcode', [[3, 'x', true, RSV1]]],
  [
    'on a ping amid a compressed message',
    [
      [text, '', false, RSV1],
      [ping, 'x', true, RSV1]
    ]
  ]
]);

for (const [name, frames] of BITS) {
  attacks.push({
    name: `A12 RSV1 ${name}, with permessage-deflate`,
    against: 'both',
    deflate: '',
    end: 'wait',
    bytes: ({ make }) => frames.map(([opcode, data, fin, rsv]) => make(opcode, data, { fin, rsv }))
  });
}

/** The distance of a reference within a message, and the negotiated window. */
for (const [distance, bits] of [
  [5000, 9],
  [20000, 9],
  [20000, 15],
  [32000, 15]
]) {
  attacks.push({
    name: `A24 a distance of ${distance} in a window of ${bits} bits`,
    against: 'both',
    deflate: `server_max_window_bits=${bits}; client_max_window_bits=${bits}`,
    options: { perMessageDeflate: { clientMaxWindowBits: bits } },
    end: distance === 20000 && bits === 9 ? 'finish' : 'probe',
    bytes: ({ raw }) => [
      raw.make(text, new Deflater().part(digits(distance, 'far').repeat(2)), { rsv: RSV1 })
    ]
  });
}

attacks.push(
  {
    name: 'A24 uncompressed messages between compressed ones',
    against: 'both',
    deflate: '',
    end: 'probe',
    bytes: ({ make, peer }) => [
      peer.make(text, 'compressed'),
      make(text, 'plain'),
      peer.make(text, 'compressed'),
      make(binary, Buffer.from('06', 'hex'))
    ]
  },
  {
    name: 'A24 compressed messages, byte by byte',
    against: 'both',
    deflate: '',
    bytewise: true,
    end: 'probe',
    bytes: ({ peer }) => [peer.fragments(text, ['Grü', 'ße', '']), peer.make(text, digits(100))]
  },
  {
    name: 'A24 compressed fragments without end',
    against: 'both',
    deflate: '',
    options: { maxFragments: 20 },
    end: 'wait',
    // In one segment: several end the process with ws 8.23.0, see advisories.test.js.
    bytes: ({ peer }) => [
      Buffer.concat(
        Array.from({ length: 30 }, (_, i) =>
          peer.make(i ? continuation : text, 'x', { fin: false })
        )
      )
    ]
  },
  {
    name: 'A24 RST while a large message is inflated',
    against: 'both',
    deflate: '',
    end: 'reset',
    under: (ws) => ws.removeAllListeners('message'),
    play: async ({ raw, make, peer, write }) => {
      await write(make(ping, 'first'));
      await raw.frame();
      await write(peer.make(binary, Buffer.alloc(20 * MIB)));
    }
  },
  {
    name: 'A24 an invalid stream, then a close',
    against: 'both',
    deflate: '',
    end: 'wait',
    bytes: ({ make }) => [
      Buffer.concat([
        make(text, Buffer.from('06', 'hex'), { rsv: RSV1 }),
        make(close, closeBody(1000))
      ])
    ]
  },
  ...[true, false].map((compress) => ({
    name: `A23 a secret is sent with compress ${compress}`,
    against: /** @type {const} */ ('both'),
    deflate: '',
    under: (ws) =>
      ws.on('message', (guess) => ws.send(`${guess} secret=${'s'.repeat(2000)}`, { compress })),
    play: async ({ t, raw, peer, write }) => {
      await write(peer.make(text, 'secret='));
      const one = await raw.frame();
      t.log('wire', 'compressed', one.rsv === RSV1);
      peer.logFrames(one);
    }
  }))
);

module.exports = attacks;
