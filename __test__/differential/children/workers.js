'use strict';

// Worker threads with open sockets that end as ACTION says:
//   terminate   worker.terminate() from outside
//   exit        process.exit() inside
//   throw       an exception inside
//   finish      everything closed: the worker ends by itself
// Prints the events of the main thread, which has a connection of its own to the same peer.

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const WebSocket = require(process.env.DIFFERENTIAL_MODULE);

const url = process.env.URL;
const action = process.env.ACTION;

function open(target) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(target, { perMessageDeflate: false });
    ws.on('open', () => resolve(ws));
    ws.on('error', reject);
  });
}

async function inside() {
  const sockets = await Promise.all([open(`${url}/worker`), open(`${url}/worker`)]);
  const own = new WebSocket.WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false
  });
  await new Promise((resolve) => own.on('listening', resolve));
  own.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
  const local = await open(`ws://127.0.0.1:${own.address().port}`);
  local.on('message', () => local.send('again'));
  for (const ws of sockets) ws.send('from a worker');
  local.send('round and round');
  await new Promise((resolve) => sockets[0].on('message', resolve));
  parentPort.postMessage('ready');
  parentPort.once('message', () => {
    if (action === 'exit') process.exit(2);
    if (action === 'throw') throw new Error('thrown in a worker');
    if (action === 'finish') {
      for (const ws of [...sockets, local]) ws.close();
      own.close();
    }
  });
}

async function outside() {
  const mine = await open(`${url}/main`);
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(__filename, { workerData: round });
    worker.on('error', (err) => console.log(`worker error ${err.message}`));
    const exited = new Promise((resolve) => worker.on('exit', resolve));
    await new Promise((resolve) => worker.once('message', resolve));
    if (action === 'terminate') worker.terminate();
    else worker.postMessage(action);
    const code = await exited;
    console.log(`worker exit ${code}`);
  }
  mine.on('message', (data) => {
    console.log(`main message ${data}`);
    mine.close(1000);
  });
  mine.send('still alive');
  mine.on('close', (code) => console.log(`main close ${code}`));
}

if (isMainThread) outside();
else if (workerData !== undefined) inside();
