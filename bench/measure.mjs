// One measurement: fresh processes of a subject and of its load, and the subject's CPU time before
// and after. Called by run.mjs, which selects the measurements and evaluates the figures.
import { setTimeout as delay } from 'node:timers/promises';

import { ECHO } from './catalog.mjs';
import { measureHeldConnections, measureHandshakeFlood } from './connection-loads.mjs';
import { sample, used } from './proc.mjs';
import {
  compression,
  loadCommand,
  loadOptions,
  startServer,
  summary,
  underLoad
} from './session.mjs';
import { Child } from './subject.mjs';

/** Share of the usual duration for each load of a memory workload, and the silence after them. */
const MEMORY_SHARE = 0.5;
const QUIET_MILLIS = 1000;

async function measureServer(subject, command, workload, times) {
  const { child: server, port, version } = await startServer(subject, command, workload);
  let load;
  try {
    load = new Child(`the load on ${subject.name}`, loadCommand(port, workload, times));
    const { ready, before, after, result } = await underLoad(load, server, times);
    return {
      version,
      ...summary({ before, after, result, loadCpu: result.cpu, ...times }),
      ...(workload.deflate && compression(ready, result))
    };
  } finally {
    await load?.end();
    await server.end();
  }
}

/** Measures the subject as a client; the raw echo server is its load. */
async function measureClient(subject, command, workload, times, programs) {
  const { child: server, port } = await startServer(ECHO, programs.get(ECHO.program).command, {});
  let client;
  try {
    const options = loadOptions(port, workload, times);
    if (workload.kind === 'client-opening') options.push('--opening');
    const name = `the client ${subject.name}`;
    client = new Child(name, [...command, subject.client, ...options], subject.env);
    const serverBefore = sample(server.pid);
    const { ready, before, after, result } = await underLoad(client, client, times);
    // The server also worked during the warm-up: accurate enough for a share of a core.
    const serverCpu = used(serverBefore, sample(server.pid)).process;
    const share = times.seconds / (times.seconds + times.warmUp);
    const loadCpu = serverCpu === null ? null : serverCpu * share;
    return { version: ready.version, ...summary({ before, after, result, loadCpu, ...times }) };
  } finally {
    await client?.end();
    await server.end();
  }
}

/** Memory of one server after several loads, without connections and after a silence. */
async function measureMemory(subject, command, workload, times) {
  const { child: server, port, version } = await startServer(subject, command, workload);
  const seconds = times.seconds * MEMORY_SHARE;
  const warmUp = times.warmUp * MEMORY_SHARE;
  try {
    for (const part of workload.loads) {
      const load = new Child(
        `the load on ${subject.name}`,
        loadCommand(port, part, { seconds, warmUp })
      );
      try {
        await underLoad(load, server, { seconds, warmUp });
      } finally {
        await load.end();
      }
    }
    await delay(QUIET_MILLIS);
    return { version, rss: sample(server.pid)?.rss ?? null };
  } finally {
    await server.end();
  }
}

/**
 * Memory added to a fresh server by each idle connection. A library may free memory after some
 * seconds of silence: all get the same time.
 */
async function measureIdle(subject, command, workload, times) {
  const { child: server, port, version } = await startServer(subject, command, workload);
  let load;
  try {
    const fresh = sample(server.pid);
    load = new Child(`the load on ${subject.name}`, loadCommand(port, workload, times));
    const { ready, result } = await underLoad(load, server, times);
    await delay(times.idle * 1000);
    const rss = sample(server.pid)?.rss ?? null;
    return {
      version,
      growth: fresh && rss && (rss - fresh.rss) / workload.connections,
      rss,
      ...(workload.deflate && compression(ready, result))
    };
  } finally {
    await load?.end();
    await server.end();
  }
}

const KINDS = {
  server: measureServer,
  client: measureClient,
  'client-opening': measureClient,
  // Counts connections in place of messages.
  opening: measureServer,
  memory: measureMemory,
  idle: measureIdle,
  held: measureHeldConnections,
  flood: measureHandshakeFlood
};

/**
 * Measures one subject under one workload.
 *
 * @param {object} subject of catalog.mjs
 * @param {object} workload of catalog.mjs
 * @param {{ seconds: number, warmUp: number, idle: number }} times
 * @param {Map<string, { command: string[] }>} programs the subject's, and that of `ECHO`
 * @returns {Promise<object>} messages and messages per second; latencies, and CPU time per message,
 *   in microseconds; CPU time of subject and load as shares of a core; resident bytes; the
 *   subject's version; with compression the bytes per reply on the wire and the negotiated
 *   parameters. For a memory workload only resident bytes and version; for an idle one also the
 *   growth per connection and the figures of compression; for the others see connection-loads.mjs
 */
export function measure(subject, workload, times, programs) {
  const { command } = programs.get(subject.program);
  return KINDS[workload.kind ?? 'server'](subject, command, workload, times, programs);
}
