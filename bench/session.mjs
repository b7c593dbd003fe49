// A server of a subject and what makes load on it: how both are started, sampled and summed up. Used by measure.mjs and
// connection-loads.mjs, which say what is measured.
import { sample, used } from './proc.mjs';
import { GENERATOR } from './programs.mjs';
import { Child } from './subject.mjs';

/** Options of whatever makes load: the generator and the clients have the same. */
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

/** The load generator's command line. */
export function loadCommand(port, workload, times) {
  const flags = ['binary', 'broadcast', 'tls'].filter((flag) => workload[flag]);
  if (workload.kind === 'opening') flags.push('opening');
  const further = ['deflate', 'exchanges', 'every', 'silent', 'addresses'].filter(
    (name) => workload[name] !== undefined
  );
  return [
    GENERATOR,
    ...loadOptions(port, workload, times),
    ...flags.map((flag) => `--${flag}`),
    ...further.flatMap((name) => [`--${name}`, String(workload[name])])
  ];
}

/** Starts the server of a subject for a workload; gives the process, its port and its version. */
export async function startServer(subject, command, workload) {
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
export async function underLoad(maker, measured, { seconds, warmUp }) {
  const ready = await maker.answer(warmUp);
  const before = sample(measured.pid);
  maker.say('measure');
  const result = await maker.answer(seconds);
  return { ready, before, after: sample(measured.pid), result };
}

/** What was agreed upon, and the bytes on the wire that a reply takes, with its header. */
export function compression({ negotiated }, { messages, drained, received }) {
  return { negotiated, wire: received / (messages + drained) };
}

/** The figures of a phase of a load. */
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
