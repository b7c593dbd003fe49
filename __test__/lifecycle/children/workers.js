'use strict';

// COUNT worker threads with open connections that exchange messages, PARALLEL at a time, end in every way, while the main
// thread exchanges messages with itself and with them. Reports their ends, the resources before and after, the memory after
// each half, and disturbances of the main thread's connection. With LEAK, each worker leaves a descriptor.

const fs = require('node:fs');
const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const subject = require('../../subject.cjs');
const { connect, end, listen } = require('../../transport/pairs');
const { FEW_SAMPLES, collect, resources, stableResources } = require('../measures');

const { LEAK } = process.env;
const COUNT = Number(process.env.COUNT);
const PARALLEL = Number(process.env.PARALLEL);
/** Before the first count, so that permanent resources are included. */
const WARM = 8;

/** Ways in which a worker ends, and its exit code. @type {[how: string, code: number][]} */
const ENDS = [
  ['terminate', 1],
  ['exit', 3],
  ['terminate', 1],
  ['finish', 0]
];

/** Echoes until it ends. */
function talk(...pair) {
  for (const ws of pair) {
    ws.on('error', () => {});
    ws.on('message', (data) => ws.send(data, () => {}));
  }
  pair[0].send('round and round');
}

async function inside() {
  const wss = await listen(subject);
  const [server, client] = await connect(subject, wss);
  const outward = new subject.WebSocket(workerData.url);
  await once(outward, 'open');
  outward.send('from a worker');
  await once(outward, 'message');
  if (!workerData.isQuiet) {
    talk(server, client);
    talk(outward);
  }
  if (LEAK) fs.openSync(__filename);
  parentPort.once('message', (how) => {
    if (how === 'exit') process.exit(3);
    for (const ws of [server, client, outward]) ws.close();
    wss.close();
  });
  parentPort.postMessage('ready');
}

/** Starts a worker; returns the function that ends it. */
async function start(url, isQuiet = false) {
  // By default a worker closes the files that it opened.
  const worker = new Worker(__filename, { workerData: { url, isQuiet }, trackUnmanagedFds: !LEAK });
  const exited = once(worker, 'exit');
  await once(worker, 'message');
  return async (how) => {
    if (how === 'terminate') worker.terminate();
    else worker.postMessage(how);
    return (await exited)[0];
  };
}

/** Runs workers one after the other, several at a time. */
async function run(url, count) {
  /** @type {Record<string, number>} */
  const codes = {};
  let started = 0;
  const lane = async () => {
    while (started < count) {
      const [how, expected] = ENDS[started++ % ENDS.length];
      const code = await (await start(url))(how);
      const outcome = code === expected ? how : `${how}: ${code}`;
      codes[outcome] = (codes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  return codes;
}

/** Numbers go round between two ends of this thread: none may be lost, and it must never stop. */
async function keepCounting(wss) {
  const [server, client] = await connect(subject, wss);
  const seen = { next: 0, wrong: 0, lost: 0 };
  client.on('message', (data) => {
    if (Number(data) !== seen.next) seen.wrong++;
    // Leaves the loop time for other work.
    setImmediate(() => client.send(String(++seen.next)));
  });
  for (const ws of [server, client]) ws.on('close', () => seen.lost++);
  client.send('0');
  return { client, server, seen };
}

/** A server that answers the workers. */
async function listenForWorkers() {
  const wss = await listen(subject);
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data) => ws.send(data, () => {}));
  });
  return { wss, url: `ws://127.0.0.1:${wss.address().port}` };
}

async function outside() {
  const { wss, url } = await listenForWorkers();
  await run(url, WARM);
  const before = await stableResources();
  const { client, server, seen } = await keepCounting(wss);
  const memory = [];
  const codes = [];
  // The same twice: the second time, memory must not grow.
  for (let half = 0; half < 2; half++) {
    codes.push(await run(url, COUNT / 2));
    await collect();
    memory.push(process.memoryUsage.rss());
  }
  const { wrong, lost, next } = seen;
  client.removeAllListeners('message');
  client.terminate();
  await Promise.all([once(client, 'close'), once(server, 'close')]);
  const after = await stableResources(before, LEAK ? FEW_SAMPLES : undefined);
  console.log(JSON.stringify({ before, after, codes, memory, wrong, lost, next }));
  await end(wss);
}

/** All at the same time. */
async function together() {
  const { wss, url } = await listenForWorkers();
  await run(url, WARM);
  const before = await stableResources();
  const workers = [];
  while (workers.length < COUNT) {
    const some = Math.min(PARALLEL, COUNT - workers.length);
    workers.push(...(await Promise.all(Array.from({ length: some }, () => start(url, true)))));
  }
  const alive = resources();
  const peak = process.memoryUsage.rss();
  const codes = await Promise.all(workers.map((stop, number) => stop(ENDS[number % 4][0])));
  const wrong = codes.filter((code, number) => code !== ENDS[number % 4][1]).length;
  const after = await stableResources(before);
  await collect();
  const rest = process.memoryUsage.rss();
  console.log(JSON.stringify({ before, after, wrong, peak, rest, threads: alive.threads }));
  await end(wss);
}

if (!isMainThread) inside();
else if (process.env.TOGETHER) together();
else outside();
