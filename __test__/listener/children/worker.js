'use strict';

// A worker listens and holds its connections; it is terminated on a line of input. For listener.test.js.

const { once } = require('node:events');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

const say = (/** @type {object} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function main() {
  const worker = new Worker(__filename);
  worker.on('message', say);
  await once(process.stdin, 'data');
  await worker.terminate();
}

function work() {
  const native = require('../../../lib/native.js');
  const { bind } = require('../listening.js');
  const listener = native.createListener();
  const handle = bind();
  listener.listen(
    { fd: handle.fd, backlog: 10, maxHeaderSize: 16384 },
    // The addon keeps the owner alive, and the owner the listener.
    { listener },
    () => parentPort.postMessage({ arrived: true }),
    () => false
  );
  parentPort.postMessage({ port: listener.address().port });
}

if (isMainThread) main();
else work();
