'use strict';

// The first two bytes of a frame: every opcode with every combination of reserved bits, with and without FIN, and masking (A11,
// A12; RFC 6455, sections 5.1 and 5.2). Lengths and orders of frames are in files of their own.

const { OPCODE } = require('../../differential/frames');

const { text, binary, close, ping, pong } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

/** First frames. */
const LAWFUL = [text, binary, close, ping, pong];
const KEY = Buffer.from('9f0c51aa', 'hex');

/** @type {Attack[]} */
const attacks = [];

for (let opcode = 0; opcode < 16; opcode++) {
  for (let rsv = 0; rsv < 8; rsv++) {
    const breaks = rsv !== 0 || !LAWFUL.includes(opcode);
    attacks.push({
      name: `A12 opcode ${opcode}, reserved bits ${rsv.toString(2).padStart(3, '0')}`,
      against: 'both',
      end: breaks ? 'wait' : 'finish',
      bytes: ({ make }) => [make(opcode, opcode === close ? '' : 'abc', { rsv })]
    });
  }
  attacks.push({
    name: `A12 opcode ${opcode} without FIN`,
    against: 'both',
    bytes: ({ make }) => [make(opcode, '', { fin: false })]
  });
  attacks.push({
    name: `A12 opcode ${opcode} within a message`,
    against: 'both',
    bytes: ({ make }) => [make(text, 'a', { fin: false }), make(opcode, ''), make(ping, 'after')]
  });
  attacks.push({
    name: `A12 opcode ${opcode} with all reserved bits, byte by byte`,
    against: 'both',
    bytewise: true,
    bytes: ({ make }) => [make(opcode, 'abc', { rsv: 7 }), make(text, 'never looked at')]
  });
}

for (const opcode of LAWFUL) {
  const data = opcode === close ? Buffer.from('03e8', 'hex') : 'abc';
  attacks.push(
    {
      name: `A11 opcode ${opcode} without a mask`,
      against: 'server',
      end: 'wait',
      bytes: ({ make }) => [make(opcode, data, { key: undefined })]
    },
    {
      name: `A11 opcode ${opcode} with a mask`,
      against: 'client',
      end: 'wait',
      bytes: ({ make }) => [make(opcode, data, { key: KEY })]
    },
    {
      name: `A11 opcode ${opcode} with a key of zeros`,
      against: 'both',
      bytes: ({ make }) => [make(opcode, data, { key: Buffer.alloc(4) })]
    }
  );
}

attacks.push(
  {
    name: 'A11 the mask bit alone, of a frame with reserved bits',
    against: 'both',
    end: 'wait',
    bytes: ({ make, raw }) => [make(text, 'x', { rsv: 2, key: raw.key ? undefined : KEY })]
  },
  {
    name: 'A11 masked and unmasked frames alternate',
    against: 'both',
    end: 'wait',
    bytes: ({ make, raw }) => [
      Buffer.concat([make(text, 'good'), make(text, 'bad', { key: raw.key ? undefined : KEY })])
    ]
  },
  {
    name: 'A11 the wrong mask in a fragment, after a valid one',
    against: 'both',
    end: 'wait',
    bytes: ({ make, raw }) => [
      make(text, 'good', { fin: false }),
      make(0, 'bad', { key: raw.key ? undefined : KEY })
    ]
  },
  {
    name: 'A11 another key in each frame, split within the keys',
    against: 'server',
    bytewise: true,
    bytes: ({ make }) =>
      ['00000001', 'ffffffff', '80000000', '00ff00ff'].map((key) =>
        make(text, 'abcdefghijklm', { key: Buffer.from(key, 'hex') })
      )
  },
  {
    name: 'A11 the wrong mask of a frame that declares too much',
    against: 'both',
    end: 'wait',
    bytes: ({ make, raw }) => [
      make(binary, '', { declare: 2n ** 63n, key: raw.key ? undefined : KEY })
    ]
  }
);

module.exports = attacks;
