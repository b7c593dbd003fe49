/**
 * Random header fields of the opening handshake, mostly well formed (RFC 9110, section 5.6; RFC 6455, section 9.1; RFC 7692,
 * section 7.1). Used by the targets of this folder.
 */

/** @typedef {import('./random.mjs').Random} Random */

/** Members of Object.prototype are ordinary tokens. */
const NAMES = [
  'a',
  'B',
  '0',
  'chat',
  'x-y',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty'
];
const PARAMETERS = [
  'client_max_window_bits',
  'server_max_window_bits',
  'client_no_context_takeover',
  'server_no_context_takeover'
];
const VALUES = ['8', '9', '15', '7', '16', '010', '1e1', '0xf', '10.0', '+9', 'true', '', 'x'];

/** Words that mutations insert into fields. */
export const FIELD_WORDS = [
  ...NAMES,
  ...PARAMETERS,
  ...VALUES,
  'permessage-deflate',
  'permessage-deflate; ',
  '; ',
  ', ',
  '="',
  '\\"',
  '\\',
  ' \t'
];

/** @param {Random} random */
const blanks = (random) => (random.oneIn(3) ? random.pick([' ', '\t', '  ', ' \t ']) : '');

/** @param {Random} random @param {string} text */
const quoted = (random, text) =>
  `"${[...text].map((character) => (random.oneIn(4) ? '\\' : '') + character).join('')}"`;

/**
 * @param {Random} random
 * @returns {string} a parameter of an extension
 */
function parameter(random) {
  const name = random.oneIn(4) ? random.pick(NAMES) : random.pick(PARAMETERS);
  if (random.oneIn(3)) return name;
  const value = random.pick(random.oneIn(3) ? NAMES : VALUES);
  return `${name}=${random.oneIn(3) ? quoted(random, value) : value}`;
}

/**
 * @param {Random} random
 * @returns {string} value of Sec-WebSocket-Extensions
 */
export function extensionsField(random) {
  const offer = () => {
    const name = random.oneIn(4) ? random.pick(NAMES) : 'permessage-deflate';
    const params = random.some(4, () => `${blanks(random)};${blanks(random)}${parameter(random)}`);
    return name + params.join('');
  };
  return [offer(), ...random.some(4, offer)].join(`${blanks(random)},${blanks(random)}`);
}

/**
 * @param {Random} random
 * @returns {string} value of Sec-WebSocket-Protocol
 */
export function protocolField(random) {
  const name = () => random.pick(NAMES) + (random.oneIn(3) ? random.below(4) : '');
  return [name(), ...random.some(5, name)].join(`${blanks(random)},${blanks(random)}`);
}

/**
 * @param {Random} random
 * @returns {any} a configuration as returned by extension.parse(), as a list of names with their values
 */
export function configuration(random) {
  return random.some(4, () => [
    random.oneIn(16) ? random.pick(NAMES) : random.pick(PARAMETERS),
    random.oneIn(16)
      ? random.some(3, () => random.pick(VALUES))
      : [random.oneIn(2) ? true : random.pick(VALUES)]
  ]);
}
