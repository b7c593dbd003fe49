// The soak: mixed traffic between a server and clients of the library, of ws and without a library, through a proxy that breaks
// connections, for a bounded time. Every acknowledged message must have arrived once and in order, undisturbed connections must
// not be affected, and the server's memory must not grow. Run by the gate and by hand:
//
//   node __test__/soak/soak.mjs [--seconds 60] [--seed 1] [--json FILE] [--sabotage leak|lose]
//
// FERROWS_TRANSPORT and FERROWS_SUBJECT select the subject. The exit code is 1 on any violation. The sabotages prove that it
// can fail. This file starts and ends the processes; everything else is in the files beside it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { Ledger } from './ledger.mjs';
import { judgeIdle, peakOf } from './memory.mjs';
import { planSession } from './plan.mjs';
import { Proxy } from './proxy.mjs';
import { summarize, table } from './report.mjs';

/** Milliseconds that sessions get to end after the traffic stops; remaining ones are violations. */
const GRACE = 40_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    sabotage: { type: 'string', default: '' }
  }
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  throw new TypeError('--seconds must be positive, --seed a whole number');
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => process.exit(130));
}

const ledger = new Ledger(seed);
/** @type {Record<string, number>[]} */
const samples = [];
let isCounting = true;

/**
 * @param {string} file
 * @param {(string | number)[]} given its arguments
 * @param {{ env?: Record<string, string>, execArgv?: string[] }} [options]
 */
function start(file, given, { env = {}, execArgv = [] } = {}) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, given.map(String), { env: { ...process.env, ...env }, execArgv });
  children.add(child);
  child.on('message', (/** @type {any} */ message) => {
    if (message.type === 'record') ledger.add(message.side, message.record);
    else if (message.type === 'violation') ledger.violation(message.text);
    else if (message.type === 'stuck') ledger.stuck++;
    else if (message.type === 'sample' && isCounting) samples.push(message.sample);
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    children.delete(child);
    if (code !== 0) ledger.violation(`${file} ended with ${code ?? signal}`);
    return code;
  });
  return { child, ended, file };
}

/**
 * The next message of a kind.
 *
 * @param {ReturnType<typeof start>} process
 * @param {string} type
 * @returns {Promise<any>} null if the process has ended without it
 */
function heard({ child, ended }, type) {
  const message = new Promise((resolve) => {
    const listen = (/** @type {any} */ one) => {
      if (one.type !== type) return;
      child.off('message', listen);
      resolve(one);
    };
    child.on('message', listen);
  });
  return Promise.race([message, ended.then(() => null)]);
}

/** True if a promise settles in time. @param {Promise<unknown>} promise @param {number} time */
async function inTime(promise, time) {
  const timer = new AbortController();
  const late = delay(time, false, { signal: timer.signal }).catch(() => false);
  const result = await Promise.race([promise.then(() => true), late]);
  timer.abort();
  return result;
}

const began = performance.now();
process.stdout.write(`soak: seed ${seed}, ${seconds} s\n`);
const server = start('server.mjs', [seed, values.sabotage], { execArgv: ['--expose-gc'] });
const listening = await heard(server, 'listening');
if (!listening) throw new Error('the server has not started');
const proxy = new Proxy(listening.port, (session) => planSession(seed, session).fault);
const ports = [listening.port, await proxy.listen()];
const clients = [
  start('client.mjs', [seed, ...ports, 'healthy', 'subject']),
  start('client.mjs', [seed, ...ports, 'peer', 'raw'], { env: { FERROWS_SUBJECT: 'ws' } })
];

// A process that ends early has failed; the others need not continue.
const all = [server, ...clients];
await inTime(Promise.race(all.map(({ ended }) => ended)), seconds * 1000);
isCounting = false;
proxy.calm();
const settled = Promise.all(clients.map((client) => heard(client, 'settled')));
for (const { child } of all) if (child.connected) child.send('finish');
if (!(await inTime(settled, GRACE))) ledger.violation('clients have not come to their end');

const highWater = peakOf(Number(server.child.pid));
const stopping = heard(server, 'stopped');
if (server.child.connected) server.child.send('stop');
let stopped = null;
if (await inTime(stopping, GRACE)) stopped = await stopping;
else ledger.violation('the server has not come to its end');
proxy.close();
const gone = Promise.all(all.map(({ ended }) => ended));
if (!(await inTime(gone, 10_000))) ledger.violation('a process does not end by itself');

ledger.finish();
if (stopped) {
  if (stopped.clients > 0) ledger.violation(`wss.clients has ${stopped.clients} left`);
  for (const left of stopped.left) ledger.violation(`never ended: ${JSON.stringify(left)}`);
  for (const text of judgeIdle(listening.sample, stopped.sample)) ledger.violation(text);
}
const summary = summarize({
  seed,
  seconds,
  library: process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows',
  transport: process.env.FERROWS_TRANSPORT ?? 'auto',
  wallTime: (performance.now() - began) / 1000,
  ledger,
  faults: proxy.counts,
  samples,
  atStart: listening.sample,
  atEnd: stopped?.sample ?? listening.sample,
  highWater
});
process.stdout.write(`${table(summary)}\n`);
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ ...summary, samples }, null, 1)}\n`);
process.exit(summary.violationCount === 0 ? 0 : 1);
