/**
 * Fuzzes the negotiation of permessage-deflate (lib/deflate/params.js, lib/permessage-deflate.js): with any options, the class
 * accepts the same offers and responses as that of ws and agrees on the same parameters, or throws the same error. Nothing is
 * compressed.
 */

import { main } from './engine.mjs';
import { FIELD_WORDS, configuration, extensionsField } from './grammar.mjs';
import { describeError, oracle, outcome, same, shapeOf, subject } from './libraries.mjs';

/** Values of options, selected by number: documented and undocumented ones. */
const BITS = [undefined, true, false, 8, 9, 10, 12, 15, 0, 16, null, '9', NaN];
const FLAGS = [undefined, true, false, null, 0, 'yes'];

/** @param {any[]} list @param {any} index */
const at = (list, index) => list[Math.abs(Math.trunc(Number(index))) % list.length];

/**
 * The result of one library for a header field as it parses it, or for lists of names and values.
 *
 * @param {any} library
 * @param {any} input
 */
function negotiate({ WebSocket, PerMessageDeflate }, input) {
  const [client, server, clientTakeover, serverTakeover] = input.options;
  const extension = new PerMessageDeflate({
    isServer: input.isServer,
    clientMaxWindowBits: at(BITS, client),
    serverMaxWindowBits: at(BITS, server),
    clientNoContextTakeover: at(FLAGS, clientTakeover),
    serverNoContextTakeover: at(FLAGS, serverTakeover)
  });
  const configurations =
    typeof input.offers === 'string'
      ? WebSocket.extension.parse(input.offers)['permessage-deflate']
      : input.offers.map((/** @type {any} */ params) =>
          Object.assign(Object.create(null), Object.fromEntries(params))
        );
  const plain = (/** @type {any} */ params) =>
    params && Object.entries(params).map(([key, value]) => `${key} ${typeof value} ${value}`);

  const trace = { offer: plain(extension.offer()), accepted: '', error: '', params: '', left: [] };
  try {
    const accepted = extension.accept(configurations);
    trace.accepted = plain(accepted);
    // The result is one of the given objects, completed.
    trace.left = configurations.map((/** @type {any} */ params) => params === accepted);
  } catch (error) {
    trace.error = isEngineError(error) ? error.constructor.name : describeError(error);
  }
  trace.params = plain(extension.params);
  return trace;
}

/**
 * Messages of V8 depend on the source text: "undefined is not iterable", "Cannot read ...".
 *
 * @param {any} error
 * @returns {error is TypeError}
 */
const isEngineError = (error) =>
  error instanceof TypeError && !error.message.startsWith('Invalid value');

/** @type {import('./engine.mjs').Target} */
export const target = {
  name: 'deflate_parameters',
  dictionary: FIELD_WORDS,

  generate: (random) => ({
    isServer: random.oneIn(2),
    options: [0, 0, 0, 0].map(() => random.below(13)),
    offers: random.oneIn(3)
      ? extensionsField(random)
      : [configuration(random), ...random.some(3, () => configuration(random))]
  }),

  run(input) {
    const actual = outcome(() => negotiate(subject, input));
    same(
      actual,
      outcome(() => negotiate(oracle, input))
    );
    if ('thrown' in actual) return [shapeOf(actual.thrown)];
    const { accepted, error, offer } = actual.value;
    return [error.split('": ')[0], `offers ${offer}`, `${input.isServer} accepts ${accepted}`].map(
      shapeOf
    );
  }
};

await main(target, import.meta.url);
