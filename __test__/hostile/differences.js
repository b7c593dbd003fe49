'use strict';

// Attacks with a result that differs from ws on purpose, with the reason; doc/differences.md explains them. A listed attack
// must differ. Read by hostile.test.js.

/** Bytes that cannot become UTF-8, whatever follows; named as in catalog/utf8.js. */
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

/** Bytes that become invalid by the next bytes of the frame. */
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
        `A10 ${name}, in a message truncated by a close`,
        `A10 ${name}, in a frame that does not end`
      ]),
      ...WRONG_BY_WHAT_FOLLOWS.map((name) => `A10 ${name}, in a frame that does not end`)
    ],
    reason: FAILS_FAST
  },
  {
    attacks: ['A24 a distance of 20000 in a window of 9 bits'],
    reason:
      'a message may refer back into itself by more than the window; with ws if what it refers to is in the same 16 KiB of output'
  }
];

/** @param {string} name of an attack @returns {string | null} the reason for a difference; null if there must be none */
const reasonFor = (name) =>
  DIFFERENCES.find(({ attacks }) => attacks.includes(name))?.reason ?? null;

module.exports = { DIFFERENCES, reasonFor };
