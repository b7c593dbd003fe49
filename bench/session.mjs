// A subject's server and its load: starting, sampling and summarizing. Used by measure.mjs and
// connection-loads.mjs.
import { sample, used } from './proc.mjs';
import { GENERATOR } from './programs.mjs';
import { Child } from './subject.mjs';

/** Options common to the load generator and the clients. */
export function loadOptions(port, workload, { seconds, warmUp }) {
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

/** The command line of the load generator. */
export function loadCommand(port, workload, times) {
  const flags = ['binary', 'broadcast', 'tls'].filter((flag) => workload[flag]);
  if (workload.kind === 'opening') flags.push('opening');
  const further = ['deflate', 'drip', 'exchanges', 'every', 'silent', 'addresses'].filter(
    (name) => workload[name] !== undefined
  );
  return [
    GENERATOR,
    ...loadOptions(port, workload, times),
    ...flags.map((flag) => `--${flag}`),
    ...further.flatMap((name) => [`--${name}`, String(workload[name])])
  ];
}

/** Starts the server of a subject for a workload. Returns the process, its port and its version. */
export async function startServer(subject, command, workload) {
  const flags = ['broadcast', 'deflate', 'tls']
    .filter((flag) => workload[flag])
    .map((flag) => `--${flag}`);
  if (workload.deflate === 'no-takeover') flags.push('--no-takeover');
  if (workload.work) flags.push(`--work=${workload.work}`);
  const file = subject.server ? [subject.server] : [];
  const child = new Child(
    `the server ${subject.name}`,
    [...command, ...file, ...flags],
    subject.env
  );
  try {
    return { child, ...(await child.read()) };
  } catch (err) {
    await child.end();
    throw err;
  }
}

/**
 * Runs the measured phase of a load, and samples the measured process before and after it, while no
 * message is in flight.
 */
export async function underLoad(loader, measured, { seconds, warmUp }) {
  const ready = await loader.read(warmUp);
  const before = sample(measured.pid);
  loader.send('measure');
  const result = await loader.read(seconds);
  return { ready, before, after: sample(measured.pid), result };
}

/** The negotiated parameters, and the bytes per reply on the wire, header included. */
export function compression({ negotiated }, { messages, drained, received }) {
  return { negotiated, wire: received / (messages + drained) };
}

/** The figures of a phase. */
export function summary({ before, after, result, loadCpu, seconds }) {
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
