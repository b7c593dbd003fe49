'use strict';

// Workers with clients that receive endlessly are terminated while this thread accepts connections, whose descriptors reuse the
// numbers of the workers' ones: each has 8 bytes to read, which no other socket may take.
//
// MODULE, ROUNDS, WORKERS (terminated in each round), CLIENTS (of each worker), KNOCKS (connections of each round)

const net = require('node:net');
const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { MODULE, ROUNDS, WORKERS, CLIENTS, KNOCKS } = process.env;
const LOOPBACK = '127.0.0.1';
const BYTES = '8 bytes!';

/** A server of genuine ws that sends endlessly. */
function blaster() {
  const { WebSocketServer } = require('ws');
  const wss = new WebSocketServer({ port: 0, host: LOOPBACK, perMessageDeflate: false }, () =>
    parentPort?.postMessage(wss.address().port)
  );
  const data = Buffer.alloc(60000, 'A');
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    const send = () => {
      if (ws.readyState === ws.OPEN) ws.send(data, () => setImmediate(send));
    };
    send();
  });
}

function victim() {
  const WebSocket = require(workerData.module);
  let open = 0;
  for (let i = 0; i < workerData.clients; i++) {
    const ws = new WebSocket(`ws://${LOOPBACK}:${workerData.port}`, { perMessageDeflate: false });
    ws.on('error', () => {});
    ws.on('open', () => {
      if (++open === workerData.clients) parentPort?.postMessage('ready');
    });
    // It lags: there is always something to read.
    ws.on('message', () => {
      const until = Date.now() + 1;
      while (Date.now() < until);
    });
  }
}

/** Connects again and again, and writes: a few connections at a time. */
function knocker() {
  parentPort?.on('message', ({ port, knocks }) => {
    let left = knocks;
    const knock = () => {
      if (left-- <= 0) return;
      const socket = net.connect(port, LOOPBACK);
      socket.on('error', () => {});
      socket.end(BYTES, knock);
    };
    for (let i = 0; i < 4; i++) knock();
  });
}

async function main() {
  const role = (name, data) => new Worker(__filename, { workerData: { role: name, ...data } });
  const blasting = role('blaster', {});
  const [port] = await once(blasting, 'message');
  const knocking = role('knocker', {});
  const seen = { accepted: 0, complete: 0, terminated: 0 };
  for (let round = 0; round < Number(ROUNDS); round++) {
    const data = { module: MODULE, clients: Number(CLIENTS), port };
    const victims = Array.from({ length: Number(WORKERS) }, () => role('victim', data));
    await Promise.all(victims.map((one) => once(one, 'message')));

    const sockets = [];
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const all = new Promise((resolve) => {
      server.on('connection', (socket) => {
        if (sockets.push(socket) === Number(KNOCKS)) resolve(undefined);
      });
    });
    server.listen(0, LOOPBACK, 511);
    await once(server, 'listening');
    // Accepted while the workers end, and not read before.
    knocking.postMessage({ port: server.address().port, knocks: Number(KNOCKS) });
    const ended = victims.map((one) => one.terminate());
    await all;
    await Promise.all(ended);
    seen.terminated += ended.length;
    await Promise.all(
      sockets.map(async (socket) => {
        let got = '';
        socket.on('data', (chunk) => (got += chunk));
        socket.on('error', () => {});
        socket.resume();
        await once(socket, 'end');
        seen.accepted++;
        if (got === BYTES) seen.complete++;
        socket.destroy();
      })
    );
    server.close();
  }
  console.log(JSON.stringify(seen));
  process.exit();
}

if (isMainThread) main();
else ({ blaster, victim, knocker })[workerData.role]();
