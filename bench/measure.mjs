// One measurement: fresh processes of a subject and of the load on it, and the subject's CPU time before and after.
// Called by run.mjs. Choosing what to measure, and what to make of the numbers, belongs there.
import { setTimeout as delay } from 'node:timers/promises';

import { ECHO } from './catalog.mjs';
import { sample, used } from './proc.mjs';
import { GENERATOR } from './programs.mjs';
import { Child } from './subject.mjs';

/** A memory workload runs this share of the usual time under each of its loads, and is then left in peace. */
const MEMORY_SHARE = 0.5;
const QUIET_MILLIS = 1000;

/** Options of whatever makes load: the generator and the clients have the same. */
function loadOptions(port, workload, { seconds, warmUp }) {
  const options = {
    port,
    connections: workload.connections,
    'in-flight': workload.inFlight,
    size: workload.size,
    'warm-up': warmUp,
    seconds
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** The load generator's command line. */
function loadCommand(port, workload, times) {
  const flags = ['binary', 'broadcast', 'tls'].filter((flag) => workload[flag]);
  const further = ['deflate', 'exchanges'].filter((name) => workload[name]);
  return [
    GENERATOR,
    ...loadOptions(port, workload, times),
    ...flags.map((flag) => `--${flag}`),
    ...further.flatMap((name) => [`--${name}`, String(workload[name])])
  ];
}

/** Starts the server of a subject for a workload; gives the process, its port and its version. */
async function startServer(subject, command, workload) {
  const flags = ['broadcast', 'deflate', 'tls']
    .filter((flag) => workload[flag])
    .map((flag) => `--${flag}`);
  if (workload.deflate === 'no-takeover') flags.push('--no-takeover');
  const file = subject.server ? [subject.server] : [];
  const child = new Child(
    `the server ${subject.name}`,
    [...command, ...file, ...flags],
    subject.env
  );
  try {
    return { child, ...(await child.answer()) };
  } catch (err) {
    await child.end();
    throw err;
  }
}

/**
 * Lets a process that makes load do its work, and samples the measured process before and after, when no message is
 * under way.
 */
async function underLoad(maker, measured, { seconds, warmUp }) {
  const ready = await maker.answer(warmUp);
  const before = sample(measured.pid);
  maker.say('measure');
  const result = await maker.answer(seconds);
  return { ready, before, after: sample(measured.pid), result };
}

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

/** What was agreed upon, and the bytes on the wire that a reply takes, with its header. */
function compression({ negotiated }, { messages, drained, received }) {
  return { negotiated, wire: received / (messages + drained) };
}

function summary({ before, after, result, loadCpu, seconds }) {
  const messages = result.messages + result.drained;
  const cpu = used(before, after);
  const perMessage = (micros) => (micros === null ? null : micros / messages);
  const busy = (micros) => (micros === null ? null : micros / (seconds * 1e6));
  return {
    messages,
    rate: result.messages / seconds,
    cpu: perMessage(cpu.process),
    javaScript: perMessage(cpu.main),
    ...result.latency,
    busy: busy(cpu.process),
    loadBusy: busy(loadCpu),
    rss: after?.rss ?? null
  };
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
  memory: measureMemory,
  idle: measureIdle
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
 *   one those, the growth of resident bytes a connection, and what compression gives
 */
export function measure(subject, workload, times, programs) {
  const { command } = programs.get(subject.program);
  return KINDS[workload.kind ?? 'server'](subject, command, workload, times, programs);
}
