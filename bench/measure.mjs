// One measurement: fresh processes of a subject and of the load on it, and the subject's CPU time before and after.
// Called by run.mjs. Choosing what to measure, and what to make of the numbers, belongs there.
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

/** A memory workload runs this share of the usual time under each of its loads, and is then left in peace. */
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

/** The subject is the client: the raw echo server is the load on it. */
async function measureClient(subject, command, workload, times, programs) {
  const { child: server, port } = await startServer(ECHO, programs.get(ECHO.program).command, {});
  let client;
  try {
    const options = loadOptions(port, workload, times);
    const name = `the client ${subject.name}`;
    client = new Child(name, [...command, subject.client, ...options], subject.env);
    const serverBefore = sample(server.pid);
    const { ready, before, after, result } = await underLoad(client, client, times);
    // The server has worked for the warm-up too: near enough for a share of a core.
    const serverCpu = used(serverBefore, sample(server.pid)).process;
    const share = times.seconds / (times.seconds + times.warmUp);
    const loadCpu = serverCpu === null ? null : serverCpu * share;
    return { version: ready.version, ...summary({ before, after, result, loadCpu, ...times }) };
  } finally {
    await client?.end();
    await server.end();
  }
}

/** One server under several loads; then, without connections and after a silence, its memory. */
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
 * What connections that were used and are silent now add to the memory of a fresh server, each. A library may free what it
 * holds for a connection after some seconds without a message: all get the same time for that.
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
  // Its messages are connections.
  opening: measureServer,
  memory: measureMemory,
  idle: measureIdle,
  held: measureHeldConnections,
  flood: measureHandshakeFlood
};

/**
 * Runs one workload against one subject.
 *
 * @param {object} subject of catalog.mjs
 * @param {object} workload of catalog.mjs
 * @param {{ seconds: number, warmUp: number, idle: number }} times
 * @param {Map<string, { command: string[] }>} programs the subject's, and that of `ECHO`
 * @returns {Promise<object>} messages, messages per second; latencies and CPU time in microseconds (the latter a message);
 *   busy shares of a core of subject and load; resident bytes; the subject's version; with compression bytes on the wire a
 *   reply and the parameters that were agreed upon. Of a memory workload only resident bytes and version; of an idle
 *   one those, the growth of resident bytes a connection, and what compression gives; of the others see connection-loads.mjs
 */
export function measure(subject, workload, times, programs) {
  const { command } = programs.get(subject.program);
  return KINDS[workload.kind ?? 'server'](subject, command, workload, times, programs);
}
