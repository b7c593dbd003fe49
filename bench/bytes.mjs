// Memory of an idle connection as seen from inside a server on ferrows; workload idle-8000 measures
// it from outside. Two servers, because a heap snapshot uses memory itself: one for the process as
// a whole, one for JavaScript objects by class. Run by hand; doc/performance.md has its results,
// from results.json.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getHeapSnapshot } from 'node:v8';

import { WORKLOADS } from './catalog.mjs';
import { ferrows } from './libraries.mjs';
import { loadCommand } from './session.mjs';
import { serve } from './servers/node.mjs';
import { Child } from './subject.mjs';

const workload = WORKLOADS.find(({ name }) => name === 'idle-8000');
const SILENCE_MILLIS = 20_000;
/** Classes below this many bytes per connection are summed up. */
const LEAST_BYTES = 2;

/** Bytes of the young and old objects in the heap, by class or kind. */
async function objects() {
  global.gc();
  const { snapshot, nodes, strings } = JSON.parse(await text(getHeapSnapshot()));
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field));
  const sums = {};
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = types[type][nodes[at + type]];
    const key = ['object', 'closure'].includes(kind)
      ? `${kind} ${strings[nodes[at + name]] || '(no name)'}`
      : kind;
    sums[key] = (sums[key] ?? 0) + nodes[at + size];
  }
  return sums;
}

/** Resident bytes by mapping, and V8's heap statistics. */
function memory() {
  const resident = { malloc: 0, elsewhere: 0 };
  let place;
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    if (/^[\da-f]+-[\da-f]+ /.test(line)) place = line.endsWith('[heap]') ? 'malloc' : 'elsewhere';
    const [, kib] = line.match(/^Rss: +(\d+)/) ?? [];
    if (kib) resident[place] += kib * 1024;
  }
  const { heapTotal, heapUsed, external } = process.memoryUsage();
  return {
    'resident, all': resident.malloc + resident.elsewhere,
    'resident, malloc': resident.malloc,
    'resident, elsewhere': resident.elsewhere,
    "V8's heap, pages": heapTotal,
    "V8's heap, in use": heapUsed,
    'outside of it, as V8 counts': external
  };
}

/** Child process: the bytes added by the connections. */
async function measure(look) {
  const server = serve(ferrows());
  await once(server, 'listening');
  const before = await look();
  const times = { seconds: 1, warmUp: 0 };
  const load = new Child('the load', loadCommand(server.address().port, workload, times));
  await load.read();
  load.send('measure');
  await load.read(times.seconds);
  await delay(SILENCE_MILLIS);
  const after = await look();
  await load.end();
  const added = Object.keys(after).map((key) => [
    key,
    (after[key] - (before[key] ?? 0)) / workload.connections
  ]);
  process.send(added, () => process.exit());
}

/** @param {[string, number][]} rows */
function print(title, rows) {
  console.log(`\n${title}, bytes a connection:`);
  for (const [key, bytes] of rows) console.log(`${bytes.toFixed(0).padStart(8)}  ${key}`);
}

// The server's module reads the arguments itself.
const role = process.env.BYTES_OF;
if (role) {
  await measure(role === 'objects' ? objects : memory);
} else {
  const run = async (part) => {
    const child = fork(fileURLToPath(import.meta.url), {
      execArgv: ['--expose-gc'],
      env: { ...process.env, BYTES_OF: part },
      stdio: ['pipe', 'ignore', 'inherit', 'ipc']
    });
    const [added] = await once(child, 'message');
    return added;
  };
  print('Memory', await run('memory'));
  const rows = (await run('objects')).sort(([, a], [, b]) => b - a);
  const shown = rows.filter(([, bytes]) => bytes >= LEAST_BYTES);
  const sum = (list) => list.reduce((total, [, bytes]) => total + bytes, 0);
  print("JavaScript's objects", [
    ...shown,
    ['all others', sum(rows) - sum(shown)],
    ['together', sum(rows)]
  ]);
}
