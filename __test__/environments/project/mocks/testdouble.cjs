'use strict';

// testdouble.js replaces ws for a module, and imitates its classes. It cannot imitate the whole module, because a getter
// throws.

const td = require('testdouble');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

(async () => {
  const { Sender } = require('ws');
  const Imitation = td.imitate(Sender);
  class Fake extends Imitation {
    on() {}
  }
  td.replace('ws', Fake);
  td.when(Imitation.prototype.send('b')).thenReturn('sent');
  const { send } = require('./subject.cjs');
  const functions = Object.getOwnPropertyNames(Imitation.prototype)
    .filter(
      (name) =>
        /^(close|ping|pong|send)$/.test(name) && td.explain(Imitation.prototype[name]).isTestDouble
    )
    .sort();
  record('an imitation', [send('ws://a', 'b'), functions]);
  td.reset();
  delete require.cache[require.resolve('./subject.cjs')];
  const { WebSocket } = require('./subject.cjs');
  record('after it', await specs['an echo'](WebSocket));
})();
