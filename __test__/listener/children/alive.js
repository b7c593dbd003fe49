'use strict';

// Listens, reports each connection that has sent data, and exits when nothing keeps its event loop alive: for listener.test.js.
// WHAT names the thing to keep it alive.

const native = require('../../../lib/native.js');
const { bind } = require('../listening.js');

const say = (/** @type {object} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const { WHAT } = process.env;
const listener = native.createListener();
// Does not keep the loop alive: libuv does not poll it.
const handle = bind();
let count = 0;
const arrived = (/** @type {object} */ _owner, /** @type {number} */ number) => {
  listener.discard(number);
  if (WHAT === 'connection') listener.unref();
  else {
    listener.close(false);
    handle.close();
  }
  say({ arrived: ++count });
};
if (WHAT === 'nothing') listener.unref();
listener.listen({ fd: handle.fd, backlog: 10, maxHeaderSize: 16384 }, {}, arrived, () => false);
say({ port: listener.address().port });
