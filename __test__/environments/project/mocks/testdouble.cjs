'use strict';

// testdouble.js replaces ws by an imitation of it, made from what it finds in the package.

const td = require('testdouble');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

(async () => {
  const Imitation = td.replace('ws');
  td.when(Imitation.prototype.send('b')).thenReturn('sent');
  const { send } = require('./subject.cjs');
  const functions = Object.getOwnPropertyNames(Imitation.prototype)
    .filter((name) => td.explain(Imitation.prototype[name]).isTestDouble)
    .sort();
  record('an imitation', [send('ws://a', 'b'), functions]);
  td.reset();
  delete require.cache[require.resolve('./subject.cjs')];
  const { WebSocket } = require('./subject.cjs');
  record('after it', await specs['an echo'](WebSocket));
})();
