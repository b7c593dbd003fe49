'use strict';

// Attacks whose verdict is another one than with ws on purpose, with the reason; doc/differences.md tells users of each. An attack
// that is listed must have another verdict: one that has become equal fails until it is taken off. Read by hostile.test.js.

/** Bytes that cannot become UTF-8, whatever follows; as the attacks of catalog/utf8.js call them. */
const NEVER_UTF8 = [
  'overlong in two bytes',
  'an overlong NUL',
  'overlong in three bytes',
  'overlong in four bytes',
  'overlong in five bytes',
  'overlong in six bytes',
  'a high surrogate',
  'a low surrogate',
  'a pair of surrogates',
  'beyond the last',
  'far beyond the last',
  'a stray continuation',
  'two stray continuations',
  'a start and a letter',
  'two of three bytes and a letter',
  'three of four bytes and a letter',
  'the byte fe',
  'the byte ff'
];

/** Bytes that what follows in the frame makes wrong. */
const WRONG_BY_WHAT_FOLLOWS = [
  'one of two bytes',
  'one of three bytes',
  'two of three bytes',
  'one of four bytes',
  'two of four bytes',
  'three of four bytes'
];

const FAILS_FAST =
  'text that is no UTF-8 fails when its bytes are received (RFC 6455, section 8.1), with ws when its message ends';

/** @type {{ attacks: string[], reason: string }[]} */
const DIFFERENCES = [
  {
    attacks: [
      ...NEVER_UTF8.flatMap((name) => [
        `A10 ${name}, in a message that does not end`,
        `A10 ${name}, in a message that a close cuts off`,
        `A10 ${name}, in a frame that does not end`
      ]),
      ...WRONG_BY_WHAT_FOLLOWS.map((name) => `A10 ${name}, in a frame that does not end`)
    ],
    reason: FAILS_FAST
  },
  {
    attacks: ['A24 a distance of 20000 where the window is of 9 bits'],
    reason:
      'a message may refer back into itself by more than the window; with ws if what it refers to is in the same 16 KiB of output'
  }
];

/** @param {string} name of an attack @returns {string | null} why its verdict differs; null: it must not */
const reasonFor = (name) =>
  DIFFERENCES.find(({ attacks }) => attacks.includes(name))?.reason ?? null;

module.exports = { DIFFERENCES, reasonFor };
