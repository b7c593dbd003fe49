'use strict';

// Worker threads with clients and servers under load are terminated, ROUNDS times, while the main thread exchanges messages: it
// gets none of theirs, and loses none of its own.

const { once } = require('node:events');
const { readdirSync } = require('node:fs');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');
const WebSocket = require('ws');

const PARALLEL = 4;
const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

/** In a worker: clients of the main thread, and a server with clients of its own, all sending without a pause. */
async function load() {
  const flood = (ws) => {
    ws.on('error', () => {});
    ws.on('message', () => ws.send('from a worker'));
    ws.once('open', () => ws.send('from a worker'));
  };
  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  wss.on('connection', (ws) => {
    flood(ws);
    ws.send(Buffer.alloc(3000));
  });
  const urls = [`ws://127.0.0.1:${wss.address().port}`, workerData.url, workerData.url];
  const clients = urls.map((url) => new WebSocket(url));
  clients.forEach(flood);
  await Promise.all(clients.map((client) => once(client, 'message')));
  parentPort.postMessage('busy');
}

/** In the main thread. */
async function main() {
  const record = require('../record.cjs');
  const strange = [];
  const wss = new WebSocket.WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(wss, 'listening');
  const codes = new Set();
  wss.on('connection', (ws, { url: path }) => {
    ws.on('error', ({ code }) => codes.add(code));
    ws.on('message', (data) => {
      const expected = path === '/own' ? /^own \d+$/ : /^from a worker$/;
      if (!expected.test(String(data))) strange.push([path, String(data).slice(0, 40)]);
      ws.send(data);
    });
    ws.on('close', (code) => codes.add(code));
  });
  const url = `ws://127.0.0.1:${wss.address().port}`;
  const client = new WebSocket(`${url}/own`);
  await once(client, 'open');
  let sent = 0;
  let received = 0;
  client.on('message', (data) => {
    if (String(data) !== `own ${received}`) strange.push(['client', String(data).slice(0, 40)]);
    received += 1;
  });
  const before = descriptors();
  for (let round = 0; round < Number(process.env.ROUNDS); round += 1) {
    const workers = Array.from(
      { length: PARALLEL },
      () => new Worker(__filename, { workerData: { url } })
    );
    const busy = workers.map((worker) => once(worker, 'message'));
    for (let index = 0; index < 50; index += 1) client.send(`own ${sent++}`);
    await Promise.all(busy);
    for (let index = 0; index < 50; index += 1) client.send(`own ${sent++}`);
    const exits = await Promise.all(workers.map((worker) => worker.terminate()));
    if (exits.some((code) => code !== 1)) strange.push(['exit', exits]);
  }
  while (received < sent) await once(client, 'message');
  while (wss.clients.size > 1) await new Promise((resolve) => setImmediate(resolve));
  record('a storm', {
    sent,
    received,
    strange,
    descriptors: Math.max(0, descriptors() - before),
    abnormal: codes.has(1006)
  });
  client.close();
  await once(client, 'close');
  wss.close();
}

if (isMainThread) main();
else load();
