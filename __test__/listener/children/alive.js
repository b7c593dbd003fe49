'use strict';

// Listens, tells of each connection that has said something, and ends when nothing keeps its event loop alive: for
// listener.test.js. WHAT is to keep it alive.

const native = require('../../../lib/native.js');

const say = (/** @type {object} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const { WHAT } = process.env;
const listener = native.createListener();
let count = 0;
const arrived = (/** @type {object} */ _owner, /** @type {number} */ number) => {
  listener.discard(number);
  if (WHAT === 'connection') listener.unref();
  else listener.close(false);
  say({ arrived: ++count });
};
if (WHAT === 'nothing') listener.unref();
listener.listen(
  { address: '127.0.0.1', backlog: 10, maxHeaderSize: 16384 },
  {},
  arrived,
  () => false
);
say({ port: listener.address().port });
