// Pages generated from results.json: doc/performance.md and the headline table of README.md. Pure functions: results in, text out.
import { WORKLOADS } from '../catalog.mjs';
import { GROUPS } from '../targets.mjs';
import { evaluate } from './evaluate.mjs';
import { allWorkloads, runOf } from './results.mjs';
import { least, median, ratio, values } from './statistics.mjs';
import { growthTable, markdown, times, workloadTable } from './tables.mjs';

/** Markers of the generated block in README.md. */
export const BEGIN = '<!-- figures:begin -->';
export const END = '<!-- figures:end -->';

const COMMAND = 'node bench/run.mjs --from bench/results.json';

/** Rows of the headline table. */
const HEADLINES = [
  { work: '64 B echo, 100 connections, 1 in flight', workload: 'echo-64-1' },
  { work: '64 B echo, 100 connections, 16 in flight', workload: 'echo-64-16' },
  { work: '16 KiB echo, 100 connections', workload: 'echo-16k' },
  { work: 'client, 64 B, 16 in flight', workload: 'client-16' },
  { work: '2 KiB compressed JSON echo', workload: 'deflate-2k' },
  { work: '64 B echo over TLS, 1 in flight', workload: 'tls-1' },
  { work: 'opening and closing a connection', workload: 'opening' },
  {
    work: 'memory per idle connection, 8,000 connections',
    workload: 'idle-8000',
    measure: 'growth'
  }
];

const SUBJECT = 'ferrows/auto';
/** Other libraries: neither another transport of ferrows nor a lower bound. */
const isRival = (name) =>
  !name.startsWith('ferrows/') && !['http.request', 'raw epoll'].includes(name);
const VERDICTS = new Map([
  [true, 'met'],
  [false, '**not met**'],
  [undefined, 'not measured']
]);
const UNITS = new Map([
  ['cpu', ['CPU', 'us per message', 1]],
  ['p50', ['p50 round trip', 'us', 1]],
  ['p99', ['p99 round trip', 'us', 1]],
  ['rss', ['resident memory', 'MiB', 2 ** 20]],
  ['growth', ['resident memory', 'KiB per connection', 2 ** 10]]
]);
/** Figures compared for the kinds of workload that do not measure CPU time per message, and units that differ. */
const COMPARED = {
  memory: 'rss',
  idle: 'growth',
  held: 'growth',
  flood: 'p99',
  opening: 'cpu',
  'client-opening': 'cpu'
};
const MESSAGES = { opening: 'us per connection', 'client-opening': 'us per connection' };

const bytes = (size) => {
  if (size >= 2 ** 20) return `${size / 2 ** 20} MiB`;
  return size >= 2 ** 10 ? `${size / 2 ** 10} KiB` : `${size} B`;
};

const CONTENT = {
  takeover: 'compressed JSON',
  'no-takeover': 'compressed JSON without context takeover'
};

/** The description of a workload. */
function describe({ rounds, ...workload }) {
  return `${load(workload)}${rounds ? `, at most ${rounds} round${rounds === 1 ? '' : 's'}` : ''}`;
}

function load({
  kind,
  size,
  binary,
  deflate,
  connections,
  inFlight,
  exchanges,
  tls,
  broadcast,
  work,
  loads,
  talking,
  every,
  drip,
  attacks
}) {
  if (kind === 'memory')
    return `RSS of one server after ${loads.length} echo workloads, without connections`;
  const message = `${bytes(size)} ${CONTENT[deflate] ?? (binary ? 'binary' : 'text')}`;
  const many = connections.toLocaleString('en');
  if (kind === 'opening') {
    const between = exchanges ? `, with ${exchanges} echo of ${message} in between` : '';
    const parts = drip ? `, requests sent ${drip} bytes at a time` : '';
    return `connections opened and closed${between}, ${many} at a time${parts}, per connection`;
  }
  if (kind === 'client-opening')
    return `connections opened and closed by the client, ${many} at a time, per connection`;
  if (kind === 'idle') {
    const echoes = exchanges === 1 ? 'an echo' : `${exchanges} echoes`;
    return `RSS added by ${many} idle connections after ${echoes} of ${message}`;
  }
  if (kind === 'held') {
    return `${many} connections, or as many as the limit of descriptors allows, ${talking * 100} % of them with a ${message} echo in flight`;
  }
  if (kind === 'flood') {
    return `${message} echo every ${every} ms on ${many} connections, during ${attacks.toLocaleString('en')} hostile handshakes per second`;
  }
  if (broadcast) return `${message} broadcast to ${connections} connections, per delivery`;
  const count = `${connections} connection${connections === 1 ? '' : 's'}`;
  const who = kind === 'client' ? ' as the client' : '';
  return `${message} echo${who}${tls ? ' over TLS' : ''}, ${count}, ${inFlight} in flight${work ? `, ${work},000 steps of work per message` : ''}`;
}

/** Formats bytes. */
const wholeBytes = (value) =>
  Number.isFinite(value) ? `${Math.round(value).toLocaleString('en')} B` : '-';

/** The reference of a target's ratio. */
function reference(target, other, of) {
  if (target.most !== undefined) return 'absolute';
  if (target.growthOf) return `the growth of ${other}`;
  if (target.than) return 'before the flood';
  return `${other}${of && of !== other ? ` (${of})` : ''}`;
}

/** A ratio, with as many digits as set it apart from a limit that it misses. */
const apart = (value, limit, met) =>
  met === false && times(value) === times(limit) ? `${value.toFixed(4)}x` : times(value);

/** The number of targets met, and a table of all of them. */
function targetTable(workloads) {
  const verdicts = evaluate(workloads);
  const count = (met) => verdicts.filter((verdict) => verdict.met === met).length;
  const rows = verdicts.map(({ target, other, of, limit, measured, least: low, met }) => [
    target.work,
    target.figure,
    reference(target, other, of),
    ...(target.most === undefined
      ? [times(limit), apart(measured, limit, met), times(low)]
      : [limit, measured, low].map(wholeBytes)),
    VERDICTS.get(met)
  ]);
  const heading = [
    'work',
    'figure',
    'relative to',
    'limit',
    'measured',
    'of the lowest',
    'verdict'
  ];
  const sum = `${count(true)} met, ${count(false)} not met, ${count(undefined)} not measured.`;
  return `${sum}\n\n${markdown([heading, ...rows], 3)}`;
}

/** A list of the workloads in which another library is ahead. */
function behind(workloads) {
  const lines = [];
  let compared = 0;
  for (const { name, connections, kind } of WORKLOADS) {
    const bySubject = workloads[name];
    const key = COMPARED[kind] ?? (connections === 1 ? 'p50' : 'cpu');
    const rivals = Object.keys(bySubject ?? {}).filter(isRival);
    const first = least(bySubject, rivals, key);
    const own = values(bySubject?.[SUBJECT], key);
    if (first === undefined || own.length === 0) continue;
    compared += 1;
    const [figureName, usual, size] = UNITS.get(key);
    const unit = MESSAGES[kind] ?? usual;
    const figure = (list) => {
      const value = median(list) / size;
      return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
    };
    const share = ratio(bySubject[SUBJECT], bySubject[first], key);
    // A lead that two digits do not show is noise.
    if (share < 1.005) continue;
    lines.push(
      `* ${name}, ${figureName}: ${first} ${figure(values(bySubject[first], key))} ${unit}, ferrows ${figure(own)} (${times(share)})`
    );
  }
  if (compared === 0) return 'Unknown: no run measured ferrows next to another library.';
  return lines.length ? lines.join('\n') : 'None.';
}

/** Measurements that are missing, with the reason. */
function gaps({ missing, workloads }) {
  const lines = Object.entries(missing).map(([name, why]) => `${name} was not measured: ${why}`);
  for (const [workload, bySubject] of Object.entries(workloads)) {
    for (const [name, { errors = [] }] of Object.entries(bySubject)) {
      if (errors.length > 0)
        lines.push(`${workload}, ${name}: ${errors.length} rounds failed: ${errors[0]}`);
    }
  }
  return lines;
}

/** The conditions of a run. */
function conditions(run) {
  const { date, command, machine, versions, commit, settings, workloads, notes = [] } = run;
  const { rounds, seconds, warmUp, idle } = settings;
  const silent = WORKLOADS.some(({ name, kind }) => kind === 'idle' && workloads[name]);
  const isSummary = Object.values(workloads).some((one) =>
    Object.values(one).some(({ summary }) => summary)
  );
  return [
    `### Commit ${commit}, ${date}`,
    [
      `* workloads: ${Object.keys(workloads).join(', ')}`,
      `* command: ${command.startsWith('node') ? `\`${command}\`` : command}`,
      `* machine: ${machine}`,
      `* versions: ${Object.values(versions).join(', ')}`,
      `* up to ${rounds} interleaved rounds of ${seconds} s after ${warmUp} s of warm-up` +
        (silent ? `; idle connections were silent for ${idle} s` : ''),
      ...(isSummary
        ? ['* only medians and best values were kept; ratios are ratios of medians']
        : []),
      ...[...gaps(run), ...notes].map((line) => `* ${line}`)
    ].join('\n')
  ];
}

/** A heading and a table for each measured workload. */
function workloadTables(workloads) {
  const known = WORKLOADS.filter(({ name }) => workloads[name]);
  const parts = known.map((workload) => [
    `### ${workload.name}: ${describe(workload)}`,
    workloadTable(workload, workloads[workload.name])
  ]);
  const counts = known
    .filter(({ name }) => name === 'echo-64-1' || name.startsWith('growth-'))
    .toSorted((a, b) => a.connections - b.connections);
  if (counts.length > 1) {
    parts.push([
      '### growth: CPU us/msg of the 64 B echo, by connections',
      growthTable(counts, workloads)
    ]);
  }
  return parts.flat();
}

const text = (parts) => `${parts.flat().join('\n\n')}\n`;

const verdicts = (workloads) => [
  ['## Targets', targetTable(workloads)],
  ['## Workloads in which another library is ahead', behind(workloads)]
];

/** All tables, for the terminal. */
export function tables(results) {
  const workloads = allWorkloads(results);
  return text([...verdicts(workloads), ...workloadTables(workloads)]);
}

/** The headline table and the runs that it is from. */
function headline(results) {
  const workloads = allWorkloads(results);
  const rows = HEADLINES.flatMap(({ work, workload, measure = 'cpu' }) => {
    const bySubject = workloads[workload];
    const own = bySubject?.[SUBJECT];
    const ws = bySubject?.[least(bySubject, GROUPS.ws, measure)];
    if (!own || !ws) return [];
    const isBytes = measure === 'growth';
    const figure = (record) => {
      const value = median(values(record, measure)) / (isBytes ? 1024 : 1);
      if (Number.isNaN(value)) return '-';
      return `${isBytes ? value.toFixed(1) : value.toPrecision(3)} ${isBytes ? 'KiB' : 'µs'}`;
    };
    const uws = bySubject['uWebSockets.js'];
    const share = [ws, uws].map((other) => times(ratio(own, other, measure)));
    return [[work, figure(own), figure(ws), figure(uws), ...share]];
  });
  const runs = new Set(HEADLINES.map(({ workload }) => runOf(results, workload)).filter(Boolean));
  const from = [...runs].map(
    ({ commit, date, machine }) => `commit ${commit} (${date}, ${machine})`
  );
  const heading = ['work', 'ferrows', 'ws', 'uWebSockets.js', '/ ws', '/ uWebSockets.js'];
  return [markdown([heading, ...rows]), `Measured at ${from.join(' and ')}.`];
}

const SUMMARY =
  'Median CPU time per message or connection, of the server unless the row says otherwise; lower is better. The column `ws` is the ' +
  'faster of ws with and without bufferutil.';

/**
 * README.md with its figures renewed.
 *
 * @param {string} readme with both markers
 */
export function withHeadline(readme, results) {
  const [before, rest, ...more] = readme.split(BEGIN);
  const [, after] = (rest ?? '').split(END);
  if (after === undefined || more.length > 0)
    throw new Error(`README.md needs ${BEGIN} and ${END} once`);
  const block = [
    BEGIN,
    SUMMARY,
    ...headline(results),
    '[doc/performance.md](doc/performance.md) has all results, their conditions, and the targets that are not met.',
    END
  ];
  return `${before}${block.join('\n\n')}${after}`;
}

const READING = `A figure is the median over the rounds, with the best value in parentheses (the highest rate, the lowest of anything else).

| column | meaning |
| --- | --- |
| CPU us/msg | CPU time of the whole process, user and system, per message |
| JS thread us/msg | the part of it on the JavaScript thread: unavailable to the application |
| p50, p99 | latency under this load |
| messages/s | messages returned within the measured seconds; deliveries of a broadcast |
| RSS | resident memory at the end of the load |
| CPU, JS thread, ... / ws | ratio to \`ws\`, which is ws without bufferutil in these tables: the median of the ratios within each round |
| busy, load busy | CPU time as a share of one core, of the subject and of the load generator |

* A closed loop saturates the slowest part. Where "busy" is about 100 %, messages/s compares the subjects; where "load busy" is about 100 %,
  or both together fill all cores, it compares the load generator and the machine: use CPU per message.
* Under saturation, latency is about messages in flight divided by messages per second (Little's law).
* A subject that is not saturated finds fewer messages at each wake-up, so a faster one can pay more for each.
* \`echo-64-alone\` includes the wake-up of a sleeping core. On virtual machines the round trip has two levels: low when client and server
  share a core, high when they do not. Compare rounds of one level only.
* With more connections the kernel's own work grows; the row of \`raw epoll\` in the growth table shows by how much.
* The raw epoll server echoes a frame while it arrives; libraries wait for the whole message. This matters for 1 MiB.
* In a target, "measured" is the median of the ratios within each round and decides; "of the lowest" is the ratio of the lowest values.
  Noise only adds, so a large difference between the two means that the machine was not quiet. \`ws\` is the faster of its two variants.
* Ratios of two runs on different machines, or hours apart, mean nothing.`;

const LIMITS = `Rounded shares of CPU time, from samples of \`perf\` (\`cpu-clock\`, symbols of Node and of the addon) and counts of \`strace\`, November 2026.

| work | kernel | addon | Node and V8 | JavaScript | lower limit |
| --- | ---: | ---: | ---: | ---: | --- |
| 64 B echo, 1 in flight | 2/3 | 14 % | 14 % | 5 % | one \`recv\` and one \`send\` per message, and 27 waits per 1,000 messages (of libuv, and of the addon): no system call is left to save |
| 64 B echo, 16 in flight | 2/5 | 21 % | 24 % | 12 % | a Buffer per message, which ws's API requires, is a tenth of the time outside of the kernel |
| broadcast | 4/5 | 10 % | 6 % | 3 % | one \`send\` per recipient |
| 16 KiB echo | 3/5 | 7 % | 11 % | 5 % | the rest, a fifth, is copying and allocation: each message is copied once into memory of its own |

* **1 in flight.** The largest part outside of the kernel is the callback scope that each delivery has, so that ticks and microtasks run
  between connections as with ws. The raw epoll server has only the kernel's part.
* **16 in flight.** A message costs its Buffer, an \`emit()\`, a \`send()\` and several short copies of its bytes. Bun has no EventEmitter on this
  path, and its messages are strings.
* **16 KiB.** The message belongs to the program, which may keep it, so that it cannot lie in the memory that the next read uses.
  uWebSockets.js detaches its buffer after the callback and copies nothing. About 4 % is waiting for a lock of malloc that V8's sweeper
  holds while it frees the buffers of earlier messages on another thread.`;

/**
 * doc/performance.md.
 *
 * @param {object} results of results.json
 */
export function performancePage(results) {
  const workloads = allWorkloads(results);
  const { breakdown } = results;
  return text([
    '# Performance',
    `Generated from [bench/results.json](../bench/results.json) by \`${COMMAND}\`; do not edit. The method is in ` +
      '[bench/README.md](../bench/README.md). The figures are older than the current code where a run names an older commit.',
    '## Summary',
    SUMMARY,
    ...headline(results),
    '![CPU time per message, round trip and idle memory of ferrows, ws, uWebSockets.js and Bun](../bench/results.svg)',
    '## Runs',
    ...results.runs.map(conditions),
    ...verdicts(workloads),
    '## Reading the tables',
    READING,
    '## Limits',
    LIMITS,
    ...(breakdown
      ? [
          '## Memory of an idle connection',
          `\`${breakdown.command}\` at commit ${breakdown.commit}, ${breakdown.date}; bytes per connection. The tables are from two processes ` +
            "of one run each. V8's heap had grown by 742 bytes of pages in the first; existing pages took the other objects, so they do not add up.",
          ...breakdown.tables.map(({ head, rows }) =>
            markdown([head, ...rows.map((row) => row.map(String))], 0)
          )
        ]
      : []),
    '## Workloads',
    ...workloadTables(workloads)
  ]);
}
