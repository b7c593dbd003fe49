/**
 * Shutdowns under traffic: clients of ws, in a process of their own, send numbered messages, which the server acknowledges until it closes.
 * Every message must arrive once and in order, and every acknowledgement that was sent must arrive. Run by shutdown-traffic.test.mjs, and
 * at length by
 *
 *     node __test__/options/traffic.mjs --connections 5000 --rounds 100 --over 30000
 *
 * which also prints how even the spread was: the number of clients that were closed in each tenth of the time.
 */

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocketServer, shutdown } from 'ferrows';

const CLIENTS = fileURLToPath(new URL('children/traffic.js', import.meta.url));
const BINS = 10;

/**
 * Runs one shutdown.
 *
 * @param {number} connections
 * @param {number} over milliseconds
 * @param {number} pause of a client before its next message, in milliseconds
 * @returns {Promise<{ messages: number, bins: number[] }>}
 */
export async function runTraffic(connections, over, pause) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4096 });
  const arrived = new Array(connections).fill(0);
  const acknowledged = new Array(connections).fill(0);
  /** @type {string[]} */
  const wrong = [];
  /** Times at which the server closes connections; the answers to close frames call close(), too. @type {Map<object, number>} */
  const closeTimes = new Map();
  wss.on('connection', (ws, req) => {
    const index = Number(req.url?.slice(1));
    const { close } = ws;
    ws.close = function (...args) {
      if (!closeTimes.has(ws)) closeTimes.set(ws, performance.now());
      close.apply(ws, args);
    };
    ws.on('message', (data) => {
      if (Number(data) !== arrived[index])
        wrong.push(`client ${index}: ${data} after ${arrived[index]}`);
      arrived[index]++;
      // Later messages are not acknowledged, and the client must not take them for received.
      if (ws.readyState !== ws.OPEN) return;
      acknowledged[index]++;
      ws.send(String(data));
    });
  });
  await once(wss, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (wss.address());
  const child = fork(CLIENTS, [`ws://127.0.0.1:${port}`, String(connections), String(pause)]);
  try {
    const exited = once(child, 'exit');
    await once(child, 'message');
    const reported = once(child, 'message');
    const startedAt = performance.now();
    const result = await shutdown(wss, { over, timeout: 60_000 });
    const [clients] = await reported;
    assert.deepEqual(wrong, []);
    assert.deepEqual(result, { closed: connections, lost: 0, terminated: 0 });
    const bins = new Array(BINS).fill(0);
    for (const [index, client] of clients.entries()) {
      assert.equal(client.code, 1012);
      assert.equal(client.isOrdered, true);
      assert.equal(client.acknowledged, acknowledged[index], `acknowledgements of client ${index}`);
      assert.ok(arrived[index] >= acknowledged[index]);
    }
    for (const time of closeTimes.values()) {
      bins[Math.min(BINS - 1, Math.floor(((time - startedAt) * BINS) / over))]++;
    }
    assert.equal(wss.stats().connections, 0);
    assert.deepEqual(await exited, [0, null]);
    return { messages: arrived.reduce((sum, count) => sum + count, 0), bins };
  } finally {
    child.kill('SIGKILL');
    for (const client of wss.clients) client.terminate();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '100' },
      over: { type: 'string', default: '30000' },
      pause: { type: 'string', default: '500' }
    }
  });
  for (let round = 1; round <= Number(values.rounds); round++) {
    const { connections, over, pause } = values;
    const { bins, messages } = await runTraffic(Number(connections), Number(over), Number(pause));
    console.log(`${round}: ${messages} messages; closed per tenth of the time: ${bins.join(' ')}`);
  }
}
