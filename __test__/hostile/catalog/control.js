'use strict';

// Control frames: too long, fragmented, misplaced, and the contents of close frames (A13; RFC 6455, sections 5.5 and 7.4).
// Frames after a close frame are in endings.js, floods of pings in floods.js.

const { OPCODE, closeBody } = require('../../differential/frames');

const { continuation, text, close, ping, pong } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

const CONTROL = /** @type {[string, number][]} */ ([
  ['ping', ping],
  ['pong', pong],
  ['close', close]
]);

/** The borders of RFC 6455, section 7.4, and some codes of each range. */
const CODES = [
  0, 1, 2, 255, 256, 512, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010,
  1011, 1012, 1013, 1014, 1015, 1016, 1100, 1999, 2000, 2999, 3000, 3001, 3999, 4000, 4999, 5000,
  5001, 9999, 32767, 32768, 65534, 65535
];

/** @type {Attack[]} */
const attacks = [];

for (const [name, opcode] of CONTROL) {
  const body = (length) =>
    opcode === close && length > 1 ? closeBody(1000, 'r'.repeat(length - 2)) : 'c'.repeat(length);
  for (const length of [124, 125, 126, 127, 200, 65536]) {
    attacks.push({
      name: `A13 a ${name} of ${length} bytes`,
      against: 'both',
      end: length > 125 ? 'wait' : 'finish',
      bytes: ({ make }) => [make(opcode, body(length))]
    });
  }
  attacks.push(
    {
      name: `A13 a fragmented ${name}`,
      against: 'both',
      end: 'wait',
      bytes: ({ make }) => [make(opcode, body(2), { fin: false }), make(continuation, 'x')]
    },
    {
      name: `A13 a fragmented ${name} within a message`,
      against: 'both',
      end: 'wait',
      bytes: ({ make }) => [
        Buffer.concat([make(text, 'a', { fin: false }), make(opcode, body(2), { fin: false })])
      ]
    },
    {
      name: `A13 a ${name} of 125 bytes, byte by byte`,
      against: 'both',
      bytewise: true,
      bytes: ({ make }) => [make(opcode, body(125))]
    },
    {
      name: `A13 a ${name} that is truncated`,
      against: 'both',
      bytes: ({ make }) => [make(opcode, body(50)).subarray(0, 40)]
    },
    {
      name: `A13 a ${name} between each byte of a message`,
      against: 'both',
      bytes: ({ make }) =>
        [...'abc'].flatMap((letter, i) => [
          make(i ? continuation : text, letter, { fin: i === 2 }),
          make(opcode, body(5))
        ])
    },
    {
      name: `A13 a ${name} of one byte`,
      against: 'both',
      end: opcode === close ? 'wait' : 'finish',
      bytes: ({ make }) => [make(opcode, 'x')]
    },
    {
      name: `A13 a ${name} of NUL bytes`,
      against: 'both',
      end: opcode === close ? 'wait' : 'finish',
      bytes: ({ make }) => [make(opcode, Buffer.alloc(20))]
    }
  );
}

for (const code of CODES) {
  attacks.push({
    name: `A13 a close with code ${code}`,
    against: 'both',
    bytes: ({ make }) => [make(close, closeBody(code, 'why'))]
  });
}

for (let start = 0; start < 65536; start += 8192) {
  attacks.push({
    name: `A13 closes with each 513th code of ${start} to ${start + 8191}`,
    against: 'both',
    at: 'free',
    play: async ({ t }) => {
      for (let code = start; code < start + 8192; code += 513) {
        const { raw, ws } = await t.withRawPeer();
        raw.close(code);
        raw.finish();
        await t.closed(ws);
        for (const one of await raw.framesThrough(close)) t.logFrames(one);
      }
    }
  });
}

/** Reasons, in hexadecimal. */
const REASONS = [
  ['of 123 bytes', '72'.repeat(123)],
  ['that is cut short', 'e282'],
  ['with a surrogate', '61eda0bd'],
  ['overlong', 'c080'],
  ['beyond the last code point', 'f4908080'],
  ['of invalid UTF-8', 'fffe'],
  ['that begins amid a character', '82ac'],
  ['of a byte order mark', 'efbbbf'],
  ['of a NUL', '00'],
  ['of a line of its own', '0d0a583a20790d0a0d0a'],
  ['of the last code point', 'f48fbfbf']
];

for (const [name, reason] of REASONS) {
  for (const bytewise of [false, true]) {
    attacks.push({
      name: `A13 a close with a reason ${name}${bytewise ? ', byte by byte' : ''}`,
      against: 'both',
      bytewise,
      bytes: ({ make }) => [make(close, closeBody(1000, Buffer.from(reason, 'hex')))]
    });
  }
}

module.exports = attacks;
