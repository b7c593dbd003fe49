'use strict';

// Four worker threads at once, each with a server and a client of its own, terminated during their exchange. Prints the
// messages and the end of each, and exits.

const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const NAMES = ['one', 'two', 'three', 'four'];

async function main() {
  const workers = NAMES.map((name) => new Worker(__filename, { workerData: name }));
  const said = await Promise.all(workers.map((worker) => once(worker, 'message')));
  await Promise.all(workers.map((worker) => worker.terminate()));
  console.log(JSON.stringify(said.flat()));
}

async function work() {
  const WebSocket = require('ferrows');
  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  wss.on('connection', (ws) => ws.on('message', (data) => ws.send(`to ${data}`)));
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
  await once(client, 'open');
  client.send(workerData);
  const [answer] = await once(client, 'message');
  client.on('message', () => client.send('again'));
  client.send('again');
  parentPort.postMessage(String(answer));
}

if (isMainThread) main();
else work();
