// Measurements with many connections: held ones of which a few are active, and well-behaved clients
// during a flood of hostile handshakes. Called by measure.mjs.
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

import { sample } from './proc.mjs';
import { HOSTILE } from './programs.mjs';
import { loadCommand, startServer, summary, underLoad } from './session.mjs';
import { Child } from './subject.mjs';

/** Descriptors reserved for other uses; a library may need a second one for an active connection. */
const RESERVE = 1000;
/** Connections from one loopback address, which has about 28,000 ports to one server. */
const PER_ADDRESS = 20_000;
/** Connections per second opened by the slowest server on a busy machine, for the time limit. */
const SLOWEST_OPENING = 1000;

/** Requests a number of descriptors and returns the limit granted to child processes. */
function descriptors(wanted) {
  const limit = () => {
    const [, hard] = readFileSync('/proc/self/limits', 'latin1').match(
      /^Max open files +\d+ +(\d+)/m
    );
    return Number(hard);
  };
  if (limit() < wanted) {
    spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`]);
  }
  return limit();
}

/**
 * Holds the connections of the workload, or as many as the limit of descriptors allows, and
 * exchanges messages on a share of them. The memory is the growth since the start of the server.
 */
export async function measureHeldConnections(subject, command, workload, times) {
  const limit = descriptors(workload.connections + RESERVE);
  const connections = Math.min(workload.connections, limit - RESERVE);
  const talking = Math.max(1, Math.round(connections * workload.talking));
  const addresses = Math.ceil(connections / PER_ADDRESS) + 1;
  const load = { ...workload, connections: talking, silent: connections - talking, addresses };
  const { child: server, port, version } = await startServer(subject, command, workload);
  let loader;
  try {
    const fresh = sample(server.pid);
    loader = new Child(`the load on ${subject.name}`, loadCommand(port, load, times));
    const { before, after, result } = await underLoad(loader, server, {
      ...times,
      warmUp: times.warmUp + connections / SLOWEST_OPENING
    });
    return {
      version,
      ...summary({ before, after, result, loadCpu: result.cpu, ...times }),
      connections,
      growth: fresh && after && (after.rss - fresh.rss) / connections
    };
  } finally {
    await loader?.end();
    await server.end();
  }
}

/**
 * Well-behaved clients at a steady rate, first alone and then during an attack on the same server.
 * The figures are those during the attack; `baselineP50` and `baselineP99` are from before,
 * `attacks` is the number of attacks begun, and `kinds` has the results of each kind.
 */
export async function measureHandshakeFlood(subject, command, workload, times) {
  const { child: server, port, version } = await startServer(subject, command, workload);
  let good, hostile;
  try {
    good = new Child(`the load on ${subject.name}`, loadCommand(port, workload, times));
    const { result: calm } = await underLoad(good, server, times);
    hostile = new Child(`the attack on ${subject.name}`, [
      HOSTILE,
      ...['--port', String(port), '--rate', String(workload.attacks)]
    ]);
    await hostile.read();
    const before = sample(server.pid);
    good.send('measure');
    const result = await good.read(times.seconds);
    const after = sample(server.pid);
    hostile.send('stop');
    const { attacks, answered, ended, kinds } = await hostile.read();
    return {
      version,
      ...summary({ before, after, result, loadCpu: result.cpu, ...times }),
      baselineP50: calm.latency.p50,
      baselineP99: calm.latency.p99,
      attacks,
      answered,
      ended,
      kinds
    };
  } finally {
    await hostile?.end();
    await good?.end();
    await server.end();
  }
}
