'use strict';

// Text that is not UTF-8, and text that resembles invalid text, at every split of frames and segments, plain and compressed
// (A10; RFC 3629, RFC 6455, section 8.1). Reasons of close frames are in control.js.

const { OPCODE } = require('../../differential/frames');

const { continuation, text, binary, close, ping } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

/** Name, bytes, true if they are UTF-8. */
const SEQUENCES = /** @type {[string, string, boolean][]} */ ([
  ['the last of one byte', '7f', true],
  ['the first of two bytes', 'c280', true],
  ['the last of two bytes', 'dfbf', true],
  ['the first of three bytes', 'e0a080', true],
  ['the last before the surrogates', 'ed9fbf', true],
  ['the first after the surrogates', 'ee8080', true],
  ['no character', 'efbfbf', true],
  ['a byte order mark', 'efbbbf', true],
  ['the first of four bytes', 'f0908080', true],
  ['the last of all', 'f48fbfbf', true],
  ['overlong in two bytes', 'c1bf', false],
  ['an overlong NUL', 'c080', false],
  ['overlong in three bytes', 'e09fbf', false],
  ['overlong in four bytes', 'f08fbfbf', false],
  ['overlong in five bytes', 'f887bfbfbf', false],
  ['overlong in six bytes', 'fc83bfbfbfbf', false],
  ['a high surrogate', 'eda080', false],
  ['a low surrogate', 'edb080', false],
  ['a pair of surrogates', 'eda0bdedb880', false],
  ['beyond the last', 'f4908080', false],
  ['far beyond the last', 'f7bfbfbf', false],
  ['a stray continuation', '80', false],
  ['two stray continuations', 'bf80', false],
  ['a start and a letter', 'c361', false],
  ['two of three bytes and a letter', 'e28261', false],
  ['three of four bytes and a letter', 'f09f9861', false],
  ['the byte fe', 'fe', false],
  ['the byte ff', 'ff', false],
  ['one of two bytes', 'c3', false],
  ['one of three bytes', 'e2', false],
  ['two of three bytes', 'e282', false],
  ['one of four bytes', 'f0', false],
  ['two of four bytes', 'f09f', false],
  ['three of four bytes', 'f09f98', false]
]);

/** @type {Attack[]} */
const attacks = [];

for (const [name, hex, isValid] of SEQUENCES) {
  const bytes = Buffer.from(hex, 'hex');
  const end = isValid ? 'finish' : 'wait';
  const around = Buffer.concat([Buffer.from('fine '), bytes, Buffer.from(isValid ? ' too' : '')]);
  attacks.push(
    {
      name: `A10 ${name}, alone`,
      against: 'both',
      end,
      bytes: ({ make }) => [make(text, bytes), make(ping, 'after')]
    },
    {
      name: `A10 ${name}, after valid text, byte by byte`,
      against: 'both',
      end,
      bytewise: true,
      bytes: ({ make }) => [make(text, around)]
    },
    {
      name: `A10 ${name}, after 1000 valid bytes`,
      against: 'both',
      end,
      bytes: ({ make }) => [make(text, Buffer.concat([Buffer.alloc(1000, 'g'), bytes]))]
    },
    {
      name: `A10 ${name}, a fragment for each byte`,
      against: 'both',
      end,
      bytes: ({ make }) => [
        ...[...around].map((byte, i) =>
          make(i ? continuation : text, Buffer.from([byte]), { fin: false })
        ),
        make(continuation, '')
      ]
    },
    {
      name: `A10 ${name}, compressed`,
      against: 'both',
      deflate: '',
      end: isValid ? 'probe' : 'wait',
      bytes: ({ peer }) => [peer.make(text, bytes)]
    },
    {
      name: `A10 ${name}, compressed in a fragment for each byte`,
      against: 'both',
      deflate: '',
      end: isValid ? 'probe' : 'wait',
      bytes: ({ peer }) => [
        peer.fragments(
          text,
          [...around].map((byte) => Buffer.from([byte]))
        )
      ]
    },
    {
      name: `A10 ${name}, as binary data`,
      against: 'both',
      bytes: ({ make }) => [make(binary, bytes)]
    },
    {
      name: `A10 ${name}, with skipUTF8Validation`,
      against: 'both',
      options: { skipUTF8Validation: true },
      bytes: ({ make }) => [make(text, bytes, { fin: false }), make(continuation, bytes)]
    },
    {
      name: `A10 ${name}, in a message that does not end`,
      against: 'both',
      bytes: ({ make }) => [make(text, around, { fin: false }), make(ping, 'after')]
    },
    {
      name: `A10 ${name}, in a frame that does not end`,
      against: 'both',
      bytes: ({ make }) => {
        const whole = make(text, Buffer.concat([around, Buffer.alloc(100, 'x')]));
        return [whole.subarray(0, whole.length - 90)];
      }
    },
    {
      name: `A10 ${name}, in a message truncated by a close`,
      against: 'both',
      bytes: ({ make }) => [Buffer.concat([make(text, around, { fin: false }), make(close, '')])]
    }
  );
  for (let cut = 1; cut < bytes.length; cut++) {
    attacks.push({
      name: `A10 ${name}, fragments split after byte ${cut}`,
      against: 'both',
      end,
      bytes: ({ make }) => [
        make(text, bytes.subarray(0, cut), { fin: false }),
        make(continuation, bytes.subarray(cut))
      ]
    });
  }
}

attacks.push(
  {
    name: 'A10 a megabyte of text with an invalid last byte',
    against: 'both',
    end: 'wait',
    bytes: ({ make }) => [
      make(text, Buffer.concat([Buffer.alloc(1 << 20, 'ä'), Buffer.from([0xc3])]))
    ]
  },
  {
    name: 'A10 a character may not continue in the next message',
    against: 'both',
    end: 'wait',
    bytes: ({ make }) => [make(text, Buffer.from([0xc3])), make(text, Buffer.from([0xbc]))]
  },
  {
    name: 'A10 a ping between the bytes of a character',
    against: 'both',
    bytes: ({ make }) => [
      make(text, Buffer.from([0xc3]), { fin: false }),
      make(ping, Buffer.from([0xff])),
      make(continuation, Buffer.from([0xbc]))
    ]
  }
);

module.exports = attacks;
