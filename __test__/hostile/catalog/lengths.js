'use strict';

// Declared lengths: huge, over the limit, not minimally encoded, and frames that end within their header (A2; RFC 6455, section
// 5.2).

const { OPCODE } = require('../../differential/frames');

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

/** Of data frames: more than the limit of 100 MiB, or than a safe integer. */
const HUGE = [
  ['100 MiB and one', (100n << 20n) + 1n],
  ['2^31 - 1', 2n ** 31n - 1n],
  ['2^31', 2n ** 31n],
  ['2^32 - 1', 2n ** 32n - 1n],
  ['2^32', 2n ** 32n],
  ['2^32 + 5', 2n ** 32n + 5n],
  ['2^40', 2n ** 40n],
  ['2^53 - 1', 2n ** 53n - 1n],
  ['2^53', 2n ** 53n],
  ['2^63 - 1', 2n ** 63n - 1n],
  ['2^63', 2n ** 63n],
  ['2^64 - 1', 2n ** 64n - 1n]
];

/** @type {Attack[]} */
const attacks = [];

for (const [name, declare] of HUGE) {
  attacks.push(
    {
      name: `A2 a text of ${name} declared bytes`,
      against: 'both',
      end: 'wait',
      bytes: ({ make }) => [make(text, '', { declare })]
    },
    {
      name: `A2 ${name} declared bytes, byte by byte`,
      against: 'both',
      end: 'wait',
      bytewise: true,
      bytes: ({ make }) => [make(binary, 'some of it', { declare })]
    },
    {
      name: `A2 ${name} declared bytes in a later fragment`,
      against: 'both',
      end: 'wait',
      bytes: ({ make }) => [
        make(binary, 'first', { fin: false }),
        make(continuation, '', { declare })
      ]
    },
    {
      name: `A2 ${name} declared bytes without a limit`,
      against: 'both',
      options: { maxPayload: 0 },
      bytes: ({ make }) => [make(binary, 'some of it', { declare, width: 8 })]
    },
    {
      name: `A2 a ping of ${name} declared bytes`,
      against: 'both',
      end: 'wait',
      bytes: ({ make }) => [make(ping, '', { declare })]
    }
  );
}

for (const declare of [1, 125, 126, 65535, 65536, 100 << 20]) {
  attacks.push(
    {
      name: `A2 ${declare} declared bytes, none sent, then FIN`,
      against: 'both',
      bytes: ({ make }) => [make(binary, '', { declare })]
    },
    {
      name: `A2 ${declare} declared bytes, some sent, then RST`,
      against: 'both',
      play: async ({ make, raw, write }) => {
        await write(make(ping, 'are you there'));
        await raw.frame();
        await write(make(binary, declare === 1 ? '' : 'x', { declare }));
      },
      end: 'reset'
    }
  );
}

for (const [length, widths] of [
  [0, [2, 8]],
  [5, [2, 8]],
  [125, [2, 8]],
  [126, [8]],
  [65535, [8]]
]) {
  for (const width of widths) {
    for (const opcode of [text, binary, ping, pong, close]) {
      const isControl = opcode >= close;
      if (isControl && length > 125) continue;
      attacks.push({
        name: `A2 a length of ${length} in ${width} bytes, opcode ${opcode}`,
        against: 'both',
        end: isControl ? 'wait' : 'finish',
        bytes: ({ make }) => [make(opcode, 'x'.repeat(length), { width })]
      });
    }
  }
}

for (const maxPayload of [1, 5, 125, 126, 65535, 65536]) {
  for (const over of [0, 1]) {
    attacks.push(
      {
        name: `A2 ${maxPayload + over} bytes with a limit of ${maxPayload}`,
        against: 'both',
        options: { maxPayload },
        end: over ? 'wait' : 'finish',
        bytes: ({ make }) => [make(binary, Buffer.alloc(maxPayload + over, 'p'))]
      },
      {
        name: `A2 ${maxPayload + over} bytes in two fragments with a limit of ${maxPayload}`,
        against: 'both',
        options: { maxPayload },
        end: over ? 'wait' : 'finish',
        bytes: ({ make }) => [
          make(binary, Buffer.alloc(maxPayload, 'p'), { fin: false }),
          make(continuation, Buffer.alloc(over, 'p'))
        ]
      }
    );
  }
}

for (let length = 1; length <= 13; length++) {
  attacks.push({
    name: `A2 only ${length} bytes of a frame header, then FIN`,
    against: 'both',
    bytes: ({ make }) => [make(binary, '', { declare: 1000, width: 8 }).subarray(0, length)]
  });
}

module.exports = attacks;
