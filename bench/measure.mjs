// One measurement: a fresh server process, the load generator against it, and the server's CPU time before and after.
// Called by run.mjs. Choosing what to measure, and what to make of the numbers, belongs there.
import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CRATE = fileURLToPath(new URL('load/', import.meta.url));
const GENERATOR = fileURLToPath(
  new URL(`load/target/release/load${process.platform === 'win32' ? '.exe' : ''}`, import.meta.url)
);

/** Builds the load generator; throws when that fails. */
export function buildGenerator() {
  // The target directory is given because the environment may name another one.
  const args = ['build', '--release', '--locked', '-j1', '--target-dir', 'target'];
  const { status, error } = spawnSync('cargo', args, { cwd: CRATE, stdio: ['ignore', 2, 2] });
  if (error) throw new Error(`cargo cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`cargo ended with status ${status}`);
}

/** The first message of a child, or an error if it ends without one. */
async function messageOf(child, name) {
  const stop = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: stop.signal }).then(([message]) => message),
      once(child, 'exit', { signal: stop.signal }).then(([code, signal]) => {
        throw new Error(`the server ${name} ended early (${signal ?? `exit code ${code}`})`);
      })
    ]);
  } finally {
    stop.abort();
  }
}

/**
 * Runs one workload against one server.
 *
 * @param {{ name: string, file: string, env: object }} server
 * @param {{ size: number, binary: boolean, connections: number, inFlight: number }} workload
 * @param {{ seconds: number, warmUp: number }} times
 * @returns {Promise<object>} messages per second; latencies and CPU time in microseconds (the latter a message);
 *   busy shares of a core of server and load; resident bytes; the server's version
 */
export async function measure(server, workload, { seconds, warmUp }) {
  const child = fork(fileURLToPath(new URL(`servers/${server.file}`, import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production', ...server.env },
    execArgv: []
  });
  let load;
  try {
    const { port, version } = await messageOf(child, server.name);
    const sample = () => {
      child.send('sample');
      return messageOf(child, server.name);
    };

    load = spawn(
      GENERATOR,
      [
        ['--port', port],
        ['--connections', workload.connections],
        ['--in-flight', workload.inFlight],
        ['--size', workload.size],
        ['--warm-up', warmUp],
        ['--seconds', seconds],
        workload.binary ? ['--binary'] : []
      ]
        .flat()
        .map(String),
      { stdio: ['pipe', 'pipe', 'inherit'] }
    );
    const ended = once(load, 'exit');
    let before;
    let result;
    for await (const line of createInterface({ input: load.stdout })) {
      const event = JSON.parse(line);
      if (event.event === 'ready') {
        before = await sample();
        load.stdin.end('measure\n');
      } else {
        result = event;
      }
    }
    const [code, signal] = await ended;
    if (code !== 0 || result === undefined) {
      throw new Error(`the load on ${server.name} failed (${signal ?? `exit code ${code}`})`);
    }
    const after = await sample();
    return summary({ version, before, after, result, seconds });
  } finally {
    load?.kill();
    child.kill();
  }
}

function summary({ version, before, after, result, seconds }) {
  const messages = result.messages + result.drained;
  const used = (key) => (before[key] === null ? null : after[key] - before[key]);
  const perMessage = (micros) => (micros === null ? null : micros / messages);
  const busy = (micros) => (micros === null ? null : micros / (seconds * 1e6));
  return {
    version,
    rate: result.messagesPerSecond,
    cpu: perMessage(used('process')),
    javaScript: perMessage(used('javaScriptThread')),
    p50: result.latency.p50,
    p90: result.latency.p90,
    p99: result.latency.p99,
    max: result.latency.max,
    serverBusy: busy(used('process')),
    loadBusy: busy(result.cpu),
    rss: after.rss
  };
}
