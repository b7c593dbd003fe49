// Measurements of a server that many are at: a crowd that is held while a few talk, and good clients beside hostile ones.
// Called by measure.mjs, which has the others.
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

import { sample } from './proc.mjs';
import { HOSTILE } from './programs.mjs';
import { loadCommand, startServer, summary, underLoad } from './session.mjs';
import { Child } from './subject.mjs';

/** Descriptors that a process wants for other things than connections; a library may take a second one for a busy one. */
const RESERVE = 1000;
/** Connections that come from one loopback address: it has some 28,000 ports to one server. */
const PER_ADDRESS = 20_000;
/** Connections a second that the slowest server opens on a busy machine: what is waited for beyond the usual. */
const SLOWEST_OPENING = 1000;

/** The most descriptors that a process started from here may have, after having asked for so many. */
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
 * Holds as many connections as the workload wants, or as the limit of descriptors lets a process have, and lets a share of
 * them talk. The memory is what all of them have added to the fresh server's by the end.
 */
export async function measureHeldConnections(subject, command, workload, times) {
  const limit = descriptors(workload.connections + RESERVE);
  const connections = Math.min(workload.connections, limit - RESERVE);
  const talking = Math.max(1, Math.round(connections * workload.talking));
  const addresses = Math.ceil(connections / PER_ADDRESS) + 1;
  const load = { ...workload, connections: talking, silent: connections - talking, addresses };
  const { child: server, port, version } = await startServer(subject, command, workload);
  let maker;
  try {
    const fresh = sample(server.pid);
    maker = new Child(`the load on ${subject.name}`, loadCommand(port, load, times));
    const { before, after, result } = await underLoad(maker, server, {
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
    await maker?.end();
    await server.end();
  }
}

/**
 * Good clients at a steady rate, first alone and then beside hostile ones, at the same server. The figures are those beside
 * the hostile ones; `baselineP50` and `baselineP99` are those from before, and `attacks` is how many
 * the hostile ones have begun; `kinds` has what became of each.
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
    await hostile.answer();
    const before = sample(server.pid);
    good.say('measure');
    const result = await good.answer(times.seconds);
    const after = sample(server.pid);
    hostile.say('stop');
    const { attacks, answered, ended, kinds } = await hostile.answer();
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
