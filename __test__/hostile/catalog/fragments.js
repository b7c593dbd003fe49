'use strict';

// Orders of frames and numbers of fragments: every pair, many triples, and messages with too many fragments (A3; RFC 6455,
// section 5.4). The payload of a fragment is irrelevant here.

const { OPCODE } = require('../../differential/frames');

const { continuation, text, binary, close, ping } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

/** Frames by a short name, as opcode, payload and FIN. */
const FRAMES = /** @type {[string, number, string, boolean][]} */ ([
  ['text', text, 'te', true],
  ['text-', text, 'xt', false],
  ['binary', binary, 'bi', true],
  ['binary-', binary, 'na', false],
  ['more-', continuation, 'mo', false],
  ['more', continuation, 're', true],
  ['ping', ping, 'pi', true]
]);

/** @param {...[string, number, string, boolean]} row @returns {Attack} */
const inRow = (...row) => ({
  name: `A3 order of frames: ${row.map(([name]) => name).join(' ')}`,
  against: 'both',
  bytes: ({ make }) => row.map(([, opcode, data, fin]) => make(opcode, data, { fin }))
});

/** @type {Attack[]} */
const attacks = FRAMES.flatMap((first) => FRAMES.map((second) => inRow(first, second)));

// After frames that leave a message open, all frames again.
for (const first of [FRAMES[1], FRAMES[3]]) {
  for (const second of [FRAMES[4], FRAMES[6]]) {
    for (const third of FRAMES) attacks.push(inRow(first, second, third));
  }
}

/** A message of `count` fragments. @returns {Buffer[]} */
function fragments(make, count, data, between = []) {
  return Array.from({ length: count }, (_, i) => [
    make(i ? continuation : binary, data, { fin: i === count - 1 }),
    ...between
  ]).flat();
}

for (const maxFragments of [1, 2, 10]) {
  for (const over of [0, 1]) {
    const count = maxFragments + over;
    for (const [name, data] of [
      ['empty', ''],
      ['one byte each', 'x'],
      ['100 bytes each', 'x'.repeat(100)]
    ]) {
      attacks.push({
        name: `A3 ${count} fragments with a limit of ${maxFragments}, ${name}`,
        against: 'both',
        options: { maxFragments },
        end: over ? 'wait' : 'finish',
        bytes: ({ make }) => [Buffer.concat(fragments(make, count, data))]
      });
    }
  }
}

attacks.push(
  ...[
    ['empty', ''],
    ['of one byte', 'x']
  ].flatMap(([name, data]) =>
    [0, 1].map((over) => ({
      name: `A3 ${16384 + over} fragments ${name}, the limit by default being 16384`,
      against: /** @type {const} */ ('both'),
      end: /** @type {'wait' | 'finish'} */ (over ? 'wait' : 'finish'),
      bytes: ({ make }) => [Buffer.concat(fragments(make, 16384 + over, data))]
    }))
  ),
  {
    name: 'A3 pings in between do not reset the count',
    against: 'both',
    options: { maxFragments: 5, autoPong: false },
    end: 'wait',
    bytes: ({ make }) => [Buffer.concat(fragments(make, 6, '', [make(ping, 'between')]))]
  },
  {
    name: 'A3 every message resets the count',
    against: 'both',
    options: { maxFragments: 3 },
    bytes: ({ make }) => Array.from({ length: 4 }, () => fragments(make, 3, 'x')).flat()
  },
  {
    name: 'A3 a message without end',
    against: 'both',
    options: { maxFragments: 50 },
    end: 'wait',
    bytes: ({ make }) => [
      Buffer.concat([
        make(text, '', { fin: false }),
        ...Array.from({ length: 1000 }, () => make(continuation, '', { fin: false }))
      ])
    ]
  },
  {
    name: 'A3 a close within a message',
    against: 'both',
    bytes: ({ make }) => [
      make(text, 'half of', { fin: false }),
      make(close, ''),
      make(continuation, ' it')
    ]
  },
  {
    name: 'A3 FIN within a message',
    against: 'both',
    bytes: ({ make }) => [make(text, 'half of', { fin: false })]
  },
  {
    name: 'A3 no limit of fragments',
    against: 'both',
    options: { maxFragments: 0 },
    bytes: ({ make }) => [Buffer.concat(fragments(make, 20000, ''))]
  }
);

module.exports = attacks;
