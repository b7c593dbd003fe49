/**
 * Fuzzes the parser of Sec-WebSocket-Protocol (lib/subprotocol.js): any text gives the names or the error of ws, and parsing
 * takes linear time.
 */

import { main } from './engine.mjs';
import { FIELD_WORDS, protocolField } from './grammar.mjs';
import { oracle, outcome, same, shapeOf, subject } from './libraries.mjs';
import { assertLinear } from './linear.mjs';

/** @type {import('./engine.mjs').Target} */
export const target = {
  name: 'subprotocols',
  dictionary: FIELD_WORDS,
  generate: protocolField,

  run(input) {
    const header = String(input);
    const { parse } = subject.WebSocket.subprotocol;
    const names = (/** @type {any} */ set) => [set instanceof Set, ...set];
    const actual = outcome(() => names(parse(header)));
    same(
      actual,
      outcome(() => names(oracle.WebSocket.subprotocol.parse(header)))
    );
    assertLinear(parse, header);
    return ['thrown' in actual ? shapeOf(actual.thrown) : `${actual.value.length} names`];
  }
};

await main(target, import.meta.url);
