// Client workload on a library with the API of ws: connections to an echo server with a number of
// messages in flight. Used by ws.mjs and ferrows.mjs; communicates with the runner like the load
// generator.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { quantile, runOpening } from './opening.mjs';

const OPTIONS = ['port', 'connections', 'in-flight', 'size', 'warm-up', 'seconds'];

function options() {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(OPTIONS.map((name) => [name, { type: 'string' }])),
      opening: { type: 'boolean' }
    }
  });
  return {
    ...Object.fromEntries(OPTIONS.map((name) => [name, Number(values[name])])),
    opening: values.opening
  };
}

const say = (line) => console.log(JSON.stringify(line));

/** Opens a connection, and closes it at once. */
function openAndClose(WebSocket, url) {
  return (opened, closed) => {
    const ws = new WebSocket(url, { perMessageDeflate: false });
    ws.on('open', () => {
      opened();
      ws.close(1000);
    });
    ws.on('close', (code) => {
      if (code !== 1000) throw new Error(`a connection closed with ${code}`);
      closed();
    });
  };
}

/**
 * Opens the connections, warms up, measures on request, and stays until the end of its input.
 *
 * @param {{ WebSocket: Function, version: string }} library
 */
export async function run({ WebSocket, version }) {
  const wanted = options();
  if (wanted.opening) {
    const { connections, seconds } = wanted;
    const open = openAndClose(WebSocket, `ws://127.0.0.1:${wanted.port}`);
    await runOpening({ connections, warmUp: wanted['warm-up'], seconds }, version, open);
    return;
  }
  const inFlight = wanted['in-flight'];
  const payload = Buffer.alloc(wanted.size, 'ferrows!');
  const text = { binary: false };

  /** Echoes before and after the end of a phase; messages in flight; true when the time is up. */
  let messages = 0;
  let drained = 0;
  let outstanding = 0;
  let over = true;
  let finish;
  /**
   * Latency, of the first connection: send times of its messages in flight, and the results of the
   * phase.
   */
  let sentAt = [];
  let latencies = [];

  function received(ws, data, isBinary) {
    if (isBinary || data.length !== payload.length) throw new Error('this is not the echo');
    if (over) {
      drained += 1;
      outstanding -= 1;
      if (outstanding === 0) finish();
    } else {
      messages += 1;
      ws.send(payload, text);
    }
  }

  function receivedFirst(ws, data, isBinary) {
    if (!payload.equals(data)) throw new Error('the echo has other bytes than the message');
    const now = performance.now();
    latencies.push(now - sentAt.shift());
    if (!over) sentAt.push(now);
    received(ws, data, isBinary);
  }

  async function phase(seconds) {
    messages = drained = 0;
    latencies = [];
    sentAt = Array.from({ length: inFlight }, () => performance.now());
    outstanding = sockets.length * inFlight;
    over = false;
    const end = new Promise((resolve) => {
      finish = resolve;
    });
    for (const ws of sockets) for (let n = 0; n < inFlight; n += 1) ws.send(payload, text);
    await delay(seconds * 1000);
    over = true;
    await end;
  }

  const sockets = [];
  for (let index = 0; index < wanted.connections; index += 1) {
    const ws = new WebSocket(`ws://127.0.0.1:${wanted.port}`);
    const listener = index === 0 ? receivedFirst : received;
    ws.on('message', (data, isBinary) => listener(ws, data, isBinary));
    await once(ws, 'open');
    ws.on('close', () => {
      throw new Error('the server closed a connection');
    });
    sockets.push(ws);
  }

  const input = createInterface({ input: process.stdin });
  input.on('close', () => process.exit());
  await phase(wanted['warm-up']);
  say({ event: 'ready', version });
  await once(input, 'line');
  await phase(wanted.seconds);
  const sorted = latencies.sort((a, b) => a - b);
  say({
    event: 'result',
    messages,
    drained,
    latency: {
      p50: quantile(sorted, 0.5),
      p90: quantile(sorted, 0.9),
      p99: quantile(sorted, 0.99),
      max: quantile(sorted, 1)
    }
  });
}
