'use strict';

// Three connections arrive in one iteration of the loop, and two of their callbacks throw: prints the callbacks that ran, in
// order. For listener.test.js, because the test runner handles uncaught exceptions itself.

const { AsyncLocalStorage } = require('node:async_hooks');
const net = require('node:net');
const native = require('../../../lib/native.js');
const { bind } = require('../listening.js');

const REQUEST = 'GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

const storage = new AsyncLocalStorage();
const listener = native.createListener();
const handle = bind();
/** @type {string[]} */
const steps = [];
let arrivals = 0;

function arrived(/** @type {object} */ _owner, /** @type {number} */ number) {
  steps.push(`arrived in ${storage.getStore()}`);
  listener.discard(number);
  if (++arrivals === 3) {
    listener.close(false);
    handle.close();
  }
  if (arrivals > 1) throw new Error(`thrown ${arrivals}`);
  process.nextTick(() => steps.push('tick'));
  Promise.resolve().then(() => steps.push('microtask'));
}

process.on('uncaughtException', (error) => steps.push(error.message));
process.on('exit', () => process.stdout.write(`${JSON.stringify(steps)}\n`));

const options = { fd: handle.fd, backlog: 10, maxHeaderSize: 16384 };
storage.run('store', () => listener.listen(options, {}, arrived, () => false));
const { port } = /** @type {any} */ (listener.address());
for (let number = 0; number < 3; number++) {
  const client = net.connect(port, '127.0.0.1', () => client.end(REQUEST));
  client.on('error', () => {});
}
