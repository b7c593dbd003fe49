/**
 * Fuzzes the parser of Sec-WebSocket-Extensions (lib/extension.js): any text gives the value or the error of ws. Formatting and
 * parsing a result gives the same result, and parsing takes linear time.
 */

import { main } from './engine.mjs';
import { FIELD_WORDS, extensionsField } from './grammar.mjs';
import { oracle, outcome, same, shapeOf, subject } from './libraries.mjs';
import { assertLinear } from './linear.mjs';

/**
 * @param {any} offers the result of a parser
 * @returns {any} the same as lists, so that names like `__proto__` and the order are compared
 */
function plain(offers) {
  return [
    Object.getPrototypeOf(offers) === null,
    Object.entries(offers).map(([name, alternatives]) => [
      name,
      alternatives.map((/** @type {any} */ params) => [
        Object.getPrototypeOf(params) === null,
        Object.entries(params)
      ])
    ])
  ];
}

/** @type {import('./engine.mjs').Target} */
export const target = {
  name: 'extensions',
  dictionary: FIELD_WORDS,
  generate: extensionsField,

  run(input) {
    const header = String(input);
    const { parse, format } = subject.WebSocket.extension;
    const actual = outcome(() => plain(parse(header)));
    same(
      actual,
      outcome(() => plain(oracle.WebSocket.extension.parse(header)))
    );
    assertLinear(parse, header);
    if ('thrown' in actual) return [shapeOf(actual.thrown)];

    const offers = parse(header);
    const written = format(offers);
    same(written, oracle.WebSocket.extension.format(offers));
    same(plain(parse(written)), actual.value);
    const [, names] = actual.value;
    const params = names.flatMap((/** @type {any} */ name) => name[1]);
    return [`${Math.min(names.length, 4)} names, ${Math.min(params.length, 8)} offers`];
  }
};

await main(target, import.meta.url);
