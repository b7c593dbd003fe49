'use strict';

// A server that is shut down by a message, and sends the result: in a worker thread, or with the argument `cluster` in two processes of a
// cluster, whose primary adds their results.

const cluster = require('node:cluster');
const { parentPort } = require('node:worker_threads');

const { WebSocketServer, shutdown } = require('ferrows');

/** @param {(message: any) => void} send @param {(stop: () => void) => void} onStop @param {() => void} end */
function serve(send, onStop, end) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  wss.on('connection', (ws) => ws.on('error', () => {}));
  wss.on('listening', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (wss.address());
    send({ port });
  });
  onStop(async () => {
    send(await shutdown(wss, { over: 50 }));
    end();
  });
}

function lead() {
  const total = { closed: 0, lost: 0, terminated: 0 };
  const workers = [cluster.fork(), cluster.fork()];
  let listening = 0;
  let ended = 0;
  for (const worker of workers) {
    worker.on('message', (message) => {
      if (message.port !== undefined) {
        if (++listening === workers.length) process.send?.(message);
        return;
      }
      for (const name of /** @type {const} */ (['closed', 'lost', 'terminated']))
        total[name] += message[name];
      if (++ended === workers.length) process.send?.(total, () => process.disconnect());
    });
  }
  process.on('message', () => {
    for (const worker of workers) worker.send('stop');
  });
}

if (parentPort) {
  const port = parentPort;
  serve(
    (message) => port.postMessage(message),
    (stop) => port.once('message', stop),
    () => port.close()
  );
} else if (cluster.isPrimary) {
  lead();
} else {
  serve(
    (message) => process.send?.(message),
    (stop) => process.once('message', stop),
    () => process.disconnect()
  );
}
